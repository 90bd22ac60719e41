"""Which proxy leads to an address, as the environment says."""

import urllib.request
from urllib.parse import urlsplit


def proxy_for(url: str) -> str | None:
    """NO_PROXY counts too."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.request.getproxies().get(parts.scheme)
