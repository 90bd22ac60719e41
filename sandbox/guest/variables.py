"""The variables of a session in a file, for a kernel that comes later: each by itself, as far as it can be kept.

Only ever read inside a box: whoever writes the file decides what reading it does.
"""

import importlib
import io
import pickle
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path("/workspace/.plotline-variables")
MOST_BYTES = 64 * 1024 * 1024
"""All variables together."""
MOST_NAMES = 1000

Namespace = dict[str, Any]


def save(namespace: Namespace, hidden: Namespace) -> list[str]:
    """The names that could not be kept. Raises `OSError` when there is no room for the file."""
    import cloudpickle

    lost: list[str] = []
    left = MOST_BYTES
    # Whatever the code has put there: a link would be followed, a pipe waited for.
    FILE.unlink(missing_ok=True)
    with FILE.open("xb") as file:
        for name, value in list(_own(namespace, hidden))[:MOST_NAMES]:
            if isinstance(value, types.ModuleType):
                record = pickle.dumps((name, "module", value.__name__))
            else:
                bounded = _Bounded(left)
                try:
                    cloudpickle.dump(value, bounded)
                except Exception:  # locks, generators, sockets, what is too large
                    lost.append(name)
                    continue
                left -= bounded.tell()
                record = pickle.dumps((name, "value", bounded.getvalue()))
            file.write(len(record).to_bytes(8, "big") + record)
    return lost


def load(namespace: Namespace) -> list[str]:
    """The names that could not be brought back. The file is gone then.

    Raises anything for one that `save` did not write.
    """
    lost: list[str] = []
    try:
        records = list(_records())
    finally:
        FILE.unlink(missing_ok=True)
    # Functions look for their modules among the names around them.
    for name, kind, content in sorted(records, key=lambda record: record[1] != "module"):
        try:
            if kind == "module":
                namespace[name] = importlib.import_module(content)
            else:
                namespace[name] = _at_home(pickle.loads(content), namespace)
        except Exception:  # a class that is not there any more, say
            lost.append(name)
    return lost


def _records() -> Iterator[tuple[str, str, Any]]:
    if not FILE.is_file():
        return
    with FILE.open("rb") as file:
        while head := file.read(8):
            yield pickle.loads(file.read(int.from_bytes(head, "big")))


def _own(namespace: Namespace, hidden: Namespace) -> Iterator[tuple[str, Any]]:
    """What the code has defined."""
    for name, value in namespace.items():
        if (
            isinstance(name, str)
            and not name.startswith("_")
            and not (name in hidden and hidden[name] is value)
        ):
            yield name, value


def _at_home(value: Any, namespace: Namespace) -> Any:
    """A function of the session's own sees the session's names again, and not the copies that travelled with it."""
    if isinstance(value, types.FunctionType) and value.__module__ == "__main__":
        return _function_at_home(value, namespace)
    if isinstance(value, type) and value.__module__ == "__main__":
        for name, member in list(vars(value).items()):
            if isinstance(member, types.FunctionType):
                setattr(value, name, _function_at_home(member, namespace))
    return value


def _function_at_home(function: types.FunctionType, namespace: Namespace) -> types.FunctionType:
    # What it refers to and nobody defines by that name is still needed.
    for name, value in function.__globals__.items():
        namespace.setdefault(name, value)
    again = types.FunctionType(
        function.__code__, namespace, function.__name__, function.__defaults__, function.__closure__
    )
    again.__kwdefaults__ = function.__kwdefaults__
    again.__dict__.update(function.__dict__)
    again.__annotations__ = function.__annotations__
    again.__doc__ = function.__doc__
    again.__qualname__ = function.__qualname__
    again.__module__ = function.__module__
    return again


class _Bounded(io.BytesIO):
    """Raises instead of growing past its bound."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes

    def write(self, data: Any) -> int:
        if self.tell() + memoryview(data).nbytes > self._most_bytes:
            raise ValueError("too large to be kept")
        return super().write(data)
