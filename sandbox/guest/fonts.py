"""Fonts mapped into memory: letters are read in hundreds of small pieces for a chart, each a system call from a file.

Those are dear on gVisor: half of a chart's time.
"""

import importlib
import mmap
import os
import sys
from functools import lru_cache
from types import FunctionType, SimpleNamespace
from typing import Any

FONTS_KEPT = 64
"""As many as matplotlib keeps."""


def map_fonts() -> None:
    """From now on matplotlib opens them so."""
    font_manager: Any = importlib.import_module("matplotlib.font_manager")
    open_font = importlib.import_module("matplotlib.ft2font").FT2Font
    theirs = font_manager._get_font.__wrapped__

    def opened(path: str, *args: Any, **options: Any) -> Any:
        return open_font(_Mapped.of(path), *args, **options)

    # Their function with another way to open a font, and nothing else changed.
    names = {**vars(font_manager), "ft2font": SimpleNamespace(FT2Font=opened)}
    ours = FunctionType(theirs.__code__, names, theirs.__name__, theirs.__defaults__, theirs.__closure__)
    ours.__kwdefaults__ = theirs.__kwdefaults__
    font_manager._get_font = lru_cache(FONTS_KEPT)(ours)
    # As matplotlib does: its fonts are not for two processes.
    os.register_at_fork(after_in_child=font_manager._get_font.cache_clear)


class _Mapped(mmap.mmap):
    path: str

    @classmethod
    def of(cls, path: str) -> "_Mapped":
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if sys.version_info >= (3, 13):
                # Without a descriptor of its own, whose number may be somebody else's after a fork.
                mapped = cls(descriptor, 0, access=mmap.ACCESS_READ, trackfd=False)
            else:
                mapped = cls(descriptor, 0, access=mmap.ACCESS_READ)
        finally:
            os.close(descriptor)
        mapped.path = path
        return mapped

    def __str__(self) -> str:
        """Whoever embeds a font asks for its file so."""
        return self.path
