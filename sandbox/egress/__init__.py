"""The one way out of a box, off unless the operator lists hosts: CONNECT through the channel, checked on the host.

A box has no network. Where hosts are allowed, process 1 listens on the box's own loopback and passes what it hears to
the host over the standard streams; here it is decided, host by host, whether anybody is called.
"""
