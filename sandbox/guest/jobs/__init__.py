"""Short pieces of work on a file that somebody sent or code made: each module has `run(args, payload) -> bytes`.

A job runs in a process of its own that process 1 forks, with a deadline. It raises for what it cannot do; host and
people read no more of that than a line.
"""
