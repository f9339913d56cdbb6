"""Where a MessagePack value ends, found without building it, so that what is foreign has limits before it is decoded.

The first byte of a value says its type and its length, or how many bytes of length follow it
(https://github.com/msgpack/msgpack/blob/master/spec.md, "Formats").
"""

DEEPEST = 16
"""Most values within one another."""

LENGTHS = {
    **{0xC4 + i: (1 << i, "bytes") for i in range(3)},
    **{0xC7 + i: (1 << i, "extension") for i in range(3)},
    **{0xD9 + i: (1 << i, "bytes") for i in range(3)},
    **{0xDC + i: (2 << i, "array") for i in range(2)},
    **{0xDE + i: (2 << i, "map") for i in range(2)},
}
"""Bytes of length that follow, and of what it is the length."""
FIXED = {
    **dict.fromkeys((0xC0, 0xC2, 0xC3), 0),
    **{0xCA: 4, 0xCB: 8},
    **{0xCC + i: 1 << i for i in range(4)},
    **{0xD0 + i: 1 << i for i in range(4)},
    **{0xD4 + i: 1 + (1 << i) for i in range(5)},
}
"""Bytes of a value that follow, where they are always as many."""


class BadFrame(ValueError):
    """No whole MessagePack value, or one that is nested too deeply; `offset` is the byte where that shows."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


def end_of(data: bytes | memoryview, start: int = 0) -> int:
    """The offset after the value that begins at `start`. Raises BadFrame."""
    at, left = start, [1]
    while left:
        if left[-1] == 0:
            left.pop()
            continue
        left[-1] -= 1
        if at >= len(data):
            raise BadFrame(at, "the data ends within a value")
        began, (at, items) = at, _head(data, at)
        if at > len(data):
            raise BadFrame(began, "the data ends within a value")
        if items > len(data) - at:
            raise BadFrame(began, f"{items:,} values are said to follow, in {len(data) - at:,} bytes")
        if items:
            left.append(items)
            if len(left) > DEEPEST + 1:
                raise BadFrame(began, f"more than {DEEPEST} values within one another")
    return at


def _head(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Where the value at `at` ends, but for the values within it, and how many these are."""
    code = data[at]
    if code < 0x80 or code >= 0xE0:
        return at + 1, 0
    if code < 0xA0:
        return at + 1, (code & 0x0F) * (1 if code >= 0x90 else 2)
    if code < 0xC0:
        return at + 1 + (code & 0x1F), 0
    if code in FIXED:
        return at + 1 + FIXED[code], 0
    if code not in LENGTHS:
        raise BadFrame(at, f"no value begins with the byte 0x{code:02x}")
    width, what = LENGTHS[code]
    body = at + 1 + width
    if body > len(data):
        raise BadFrame(at, "the data ends within a value")
    length = int.from_bytes(data[at + 1 : body], "big")
    if what in ("array", "map"):
        return body, length * (2 if what == "map" else 1)
    return body + length + (what == "extension"), 0
