"""What tokens say, and what full pages hold by content: which page a prefix must be found on."""

import hashlib

from astrai_sim.trace.verify.checks import Level

ROOT = 0


def page_key(parent: str, ids: tuple[int, ...]) -> str:
    """Key of a full page: 16 hex digits of BLAKE2b of its parent's key, a colon, and its
    ids in decimal with commas between."""
    text = f"{parent}:{','.join(str(token) for token in ids)}"
    return hashlib.blake2b(text.encode("ascii"), digest_size=8).hexdigest()


class Prefixes:
    """Numbers each chain of full pages by its token ids, and knows which page has which.

    A chain's number stands for all token ids from the first to the end of a page, so two
    prefixes have one number exactly when they are the same text.
    """

    def __init__(self, page_size: int) -> None:
        self.size = page_size
        self._numbers: dict[tuple[int, tuple[int, ...]], int] = {}
        self.page_of: dict[int, int] = {}
        self._chain_at: dict[int, int] = {}
        self._keys: dict[int, str] = {ROOT: ""}

    def extend(self, chain: list[int], ids: list[int], full_pages: int) -> None:
        """Append the numbers of pages up to the first `full_pages` of `ids`."""
        while len(chain) < full_pages:
            at = len(chain) * self.size
            parent = chain[-1] if chain else ROOT
            step = (parent, tuple(ids[at : at + self.size]))
            number = self._numbers.setdefault(step, len(self._numbers) + 1)
            if number not in self._keys:
                self._keys[number] = page_key(self._keys[parent], step[1])
            chain.append(number)

    def key(self, chain: int) -> str:
        """The key of a chain."""
        return self._keys[chain]

    def chain_on(self, page: int) -> int | None:
        """The chain that a keyed page ends."""
        return self._chain_at.get(page)

    def put(self, page: int, chain: int) -> None:
        """`page` now ends `chain`."""
        self.page_of[chain] = page
        self._chain_at[page] = chain

    def drop(self, page: int) -> None:
        """`page` ends nothing any more."""
        chain = self._chain_at.pop(page, None)
        if chain is not None and self.page_of.get(chain) == page:
            del self.page_of[chain]

    def clear(self) -> None:
        """No page ends anything any more."""
        self.page_of.clear()
        self._chain_at.clear()


class Texts:
    """Every token has a text, or none has; and a token of plain letters always has the same.

    (One that is part of a longer character has its text from its neighbours too.)
    """

    def __init__(self, checks: Level, recorded: bool) -> None:
        self.checks = checks
        self.recorded = recorded
        self._known: dict[int, str] = {}

    def check(self, ids: list[int], texts: list[str] | None) -> None:
        """The texts of neighbouring tokens, or None."""
        if not self.recorded:
            self.checks.same("text", texts, None)
            return
        self.checks.true("text", texts is not None, "the text is missing")
        self.checks.same("texts of tokens", len(texts or ()), len(ids))
        for token, text in zip(ids, texts or (), strict=True):
            if text and text.isascii():
                self.checks.same("text of a token", text, self._known.setdefault(token, text))
