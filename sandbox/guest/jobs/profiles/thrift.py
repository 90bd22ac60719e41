"""Thrift's compact encoding. Pure, standard library only.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from typing import Any

DEPTH = 30


def read_struct(data: bytes) -> dict[int, Any]:
    """Its fields by their numbers; structs inside are dictionaries too.

    Raises ValueError or IndexError for what is damaged.
    """
    return _Compact(data).struct()


class _Compact:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        if depth > DEPTH:
            raise ValueError("nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            fields[number] = self._value(head & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:  # noqa: PLR0911  # one line a kind
        match kind:
            case 1 | 2:
                return kind == 1
            case 3:
                return self._byte()
            case 4 | 5 | 6:
                return self._signed()
            case 7:
                return self._bytes(8)
            case 8:
                return self._bytes(self._varint())
            case 9 | 10:
                head = self._byte()
                size = head >> 4 if head >> 4 != 15 else self._varint()
                if size > len(self._data):
                    raise ValueError("a list longer than the file")
                # Truths in lists take a byte each; as fields they are their kind.
                inner = head & 15
                return [
                    self._byte() == 1 if inner in {1, 2} else self._value(inner, depth + 1)
                    for _ in range(size)
                ]
            case 12:
                return self.struct(depth + 1)
        raise ValueError("an unknown kind of value")

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, size: int) -> bytes:
        self._at += size
        if self._at > len(self._data):
            raise ValueError("text beyond the end")
        return self._data[self._at - size : self._at]

    def _varint(self) -> int:
        result = shift = 0
        while (byte := self._byte()) & 0x80:
            result |= (byte & 0x7F) << shift
            shift += 7
            if shift > 70:
                raise ValueError("a number without end")
        return result | byte << shift

    def _signed(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)
