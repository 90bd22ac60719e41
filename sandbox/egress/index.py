"""The package index that pip on this machine uses, as far as boxes may use it too."""

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.egress.allow import HTTPS, AllowList, EntryRefused

PYPI = "https://pypi.org/simple"
PYPI_FILES = ("files.pythonhosted.org", HTTPS)


@dataclass(frozen=True, slots=True)
class Index:
    url: str
    hosts: AllowList


def index_of(environment: Mapping[str, str], home: Path) -> Index:
    """https://pip.pypa.io/en/stable/topics/configuration/. An index without TLS, or with a password, is not for boxes.

    Raises `EntryRefused`.
    """
    url = environment.get("PIP_INDEX_URL") or _configured(environment, home) or PYPI
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise EntryRefused("pip's index-url holds a password, which code in a box could read")
    if parts.scheme != "https" or not parts.hostname:
        raise EntryRefused("pip's index-url does not begin with https://")
    hosts = {(parts.hostname, parts.port or HTTPS)}
    if parts.hostname == urlsplit(PYPI).hostname:
        hosts.add(PYPI_FILES)
    return Index(url, AllowList(frozenset(hosts)))


def _configured(environment: Mapping[str, str], home: Path) -> str | None:
    """From pip's files; a later one counts before an earlier one."""
    user = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    files = [
        *(
            Path(each) / "pip/pip.conf"
            for each in environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep)
        ),
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        user / "pip/pip.conf",
    ]
    if given := environment.get("PIP_CONFIG_FILE"):
        files.append(Path(given))
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(files)
    except (configparser.Error, UnicodeDecodeError) as error:
        raise EntryRefused("pip's configuration cannot be read") from error
    for section in ("install", "global"):
        if url := parser.get(section, "index-url", fallback=None):
            return url.strip()
    return None
