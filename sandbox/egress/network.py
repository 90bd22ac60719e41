"""What a deployment lets its boxes reach, and what their code is told of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.egress.allow import AllowList, parse
from sandbox.egress.index import index_of

PROXY = "http://127.0.0.1:3128"
"""Where `sandbox.guest.relay` listens."""
PACKAGES = "/packages"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""In the image: those of the machine that built it."""


@dataclass(frozen=True, slots=True)
class Network:
    allowed: AllowList
    index_url: str | None = None
    """pip's, where packages may be installed."""
    contact: str = ""
    """Who can add a host, as people should read it."""

    @property
    def environment(self) -> dict[str, str]:
        """For a box: programs find the way out by these names."""
        proxies = {name: PROXY for each in ("HTTPS_PROXY", "HTTP_PROXY") for name in (each, each.lower())}
        found = {
            "PLOTLINE_NETWORK": "1",
            **proxies,
            "NO_PROXY": "localhost,127.0.0.1",
            # requests brings authorities of its own, and does not know those that the host trusts besides.
            "REQUESTS_CA_BUNDLE": AUTHORITIES,
        }
        if self.index_url:
            found |= {
                "PIP_INDEX_URL": self.index_url,
                # What is there already counts; what is new goes beside it.
                "PIP_PREFIX": PACKAGES,
                "PIP_NO_CACHE_DIR": "1",
                "PIP_NO_WARN_SCRIPT_LOCATION": "1",
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "PIP_CERT": AUTHORITIES,
                "PIP_RETRIES": "1",
            }
        return found


def network(  # noqa: PLR0913  # what the operator may say of it
    hosts: Iterable[str],
    packages: bool,
    contact: str,
    environment: Mapping[str, str],
    home: Path,
    *,
    asks: bool = False,
) -> Network | None:
    """None where nothing may be reached, and people are not asked either. `environment` and `home` are where pip's
    configuration is.

    Raises `EntryRefused`.
    """
    allowed, index = parse(hosts), index_of(environment, home) if packages else None
    if index:
        allowed |= index.hosts
    return Network(allowed, index.url if index else None, contact) if allowed or asks else None
