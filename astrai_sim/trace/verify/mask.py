"""A free mask in 64-bit words."""

from __future__ import annotations

WORD = 64


class FreeMask:
    """Which pages are free. Taking, returning and finding the lowest cost the same in any pool."""

    def __init__(self, n_pages: int) -> None:
        full, rest = divmod(n_pages, WORD)
        self.words = [(1 << WORD) - 1] * full + ([(1 << rest) - 1] if rest else [])
        self.count = n_pages
        self._low = 0

    def __contains__(self, page: int) -> bool:
        return bool(self.words[page // WORD] >> page % WORD & 1)

    def lowest(self) -> int | None:
        """The lowest free page, or None."""
        if not self.count:
            return None
        while not self.words[self._low]:
            self._low += 1
        word = self.words[self._low]
        return self._low * WORD + (word & -word).bit_length() - 1

    def take(self, page: int) -> None:
        """Make a free page not free."""
        self.words[page // WORD] &= ~(1 << page % WORD)
        self.count -= 1

    def give(self, page: int) -> None:
        """Make a page free that was not."""
        index = page // WORD
        self.words[index] |= 1 << page % WORD
        self.count += 1
        self._low = min(self._low, index)

    def whole(self) -> int:
        """The mask as one number: bit i is page i."""
        data = b"".join(word.to_bytes(WORD // 8, "little") for word in self.words)
        return int.from_bytes(data, "little")
