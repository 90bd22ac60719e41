"""Which hosts may be reached, and which addresses never. Pure."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

HTTPS = 443
_ENTRY = re.compile(
    r"(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(?P<port>\d{1,5}))?(?:=(?P<address>[0-9a-f.:]+))?"
)

_PUBLIC_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:xn--[a-z0-9-]+|[a-z]{2,})")
_NEVER_PUBLIC = frozenset(
    {"alt", "arpa", "home", "internal", "invalid", "lan", "local", "localhost", "onion"}
)
"""Last parts of names that lead nowhere on the internet:
https://www.iana.org/assignments/special-use-domain-names/special-use-domain-names.xhtml, and what networks at home and
in clouds use beside these."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class EntryRefused(ValueError):
    """An entry that cannot be used; `str()` says why."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Exact names and ports, lower case; some pinned to an address."""

    hosts: frozenset[tuple[str, int]] = frozenset()
    pins: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])

    def __bool__(self) -> bool:
        return bool(self.hosts)

    def __or__(self, other: "AllowList") -> "AllowList":
        return AllowList(self.hosts | other.hosts, {**self.pins, **other.pins})


def parse(entries: Iterable[str]) -> AllowList:
    """`example.org`, `example.org:8443`, or `example.org:443=10.0.0.7`, for whose address the operator vouches.

    Raises `EntryRefused`.
    """
    hosts: set[tuple[str, int]] = set()
    pins: dict[tuple[str, int], str] = {}
    for entry in entries:
        found = _ENTRY.fullmatch(entry.strip().lower())
        if not found:
            raise EntryRefused(f"{entry!r} is not a host, host:port or host:port=address")
        name, port = found["host"], int(found["port"] or HTTPS)
        if _address(name) or not 0 < port < 2**16:
            raise EntryRefused(f"{entry!r} has to begin with a host's name and may have a port")
        hosts.add((name, port))
        if found["address"]:
            if not _address(found["address"]):
                raise EntryRefused(f"{entry!r} does not end in an address")
            pins[name, port] = found["address"]
    return AllowList(frozenset(hosts), pins)


def may_be_asked_for(name: str) -> bool:
    """Whether people can be asked for it: a name that could be on the internet. Nobody looks up where it leads, since
    the question alone would carry out whatever code has written into the name."""
    return bool(_PUBLIC_NAME.fullmatch(name)) and name.rpartition(".")[2] not in _NEVER_PUBLIC


def is_public(address: str) -> bool:
    """Whether it is on the internet, and neither in somebody's own network nor a way into one."""
    found = _address(address)
    if found is None or not found.is_global or found.is_multicast or found.is_reserved:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        return inner is None or is_public(str(inner))
    return True


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
