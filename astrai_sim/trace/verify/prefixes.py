"""What full pages hold, by content: which page a prefix must be found on."""

from __future__ import annotations

ROOT = 0


class Prefixes:
    """Numbers each chain of full pages by its token ids, and knows which page has which.

    A chain's number stands for all token ids from the first to the end of a page, so two
    prefixes have one number exactly when they are the same text.
    """

    def __init__(self, page_size: int) -> None:
        self.size = page_size
        self._numbers: dict[tuple[int, tuple[int, ...]], int] = {}
        self.page_of: dict[int, int] = {}
        self.key_of: dict[int, str] = {}
        self._chain_at: dict[int, int] = {}
        self._by_key: dict[str, int] = {}

    def extend(self, chain: list[int], ids: list[int], full_pages: int) -> None:
        """Append the numbers of pages up to the first `full_pages` of `ids`."""
        while len(chain) < full_pages:
            at = len(chain) * self.size
            step = (chain[-1] if chain else ROOT, tuple(ids[at : at + self.size]))
            chain.append(self._numbers.setdefault(step, len(self._numbers) + 1))

    def chain_on(self, page: int) -> int | None:
        """The chain that a keyed page ends."""
        return self._chain_at.get(page)

    def key_clash(self, chain: int, key: str) -> str | None:
        """What is wrong with calling `chain` by `key`, or None."""
        if self.key_of.get(chain, key) != key:
            return f"the same tokens had the key {self.key_of[chain]} before"
        if self._by_key.get(key, chain) != chain:
            return f"the key {key} was that of other tokens before"
        return None

    def put(self, page: int, chain: int, key: str | None) -> None:
        """`page` now ends `chain`."""
        self.page_of[chain] = page
        self._chain_at[page] = chain
        if key is not None:
            self.key_of[chain] = key
            self._by_key[key] = chain

    def drop(self, page: int) -> None:
        """`page` ends nothing any more."""
        chain = self._chain_at.pop(page, None)
        if chain is not None and self.page_of.get(chain) == page:
            del self.page_of[chain]

    def clear(self) -> None:
        """No page ends anything any more."""
        self.page_of.clear()
        self._chain_at.clear()
