"""What tokens say: full pages by their content, and texts."""

import hashlib

from astrai_sim.trace.verify.checks import Level

ROOT = 0


class Prefixes:
    """Numbers each chain of full pages by its token ids.

    A chain's number stands for all token ids from the first to the end of a page, so two
    prefixes have one number exactly when they are the same text.
    """

    def __init__(self, page_size: int) -> None:
        self.size = page_size
        self._numbers: dict[tuple[int, tuple[int, ...]], int] = {}
        self.key = {ROOT: ""}

    def extend(self, chain: list[int], ids: list[int], full_pages: int) -> list[int]:
        """Append the numbers of pages up to the first `full_pages` of `ids`.

        Each has a key: 16 hex digits of BLAKE2b of its parent's key, a colon, and its ids in decimal, comma-separated.
        """
        while len(chain) < full_pages:
            at = len(chain) * self.size
            parent = chain[-1] if chain else ROOT
            page = tuple(ids[at : at + self.size])
            number = self._numbers.setdefault((parent, page), len(self._numbers) + 1)
            if number not in self.key:
                text = f"{self.key[parent]}:{','.join(map(str, page))}"
                self.key[number] = hashlib.blake2b(text.encode("ascii"), digest_size=8).hexdigest()
            chain.append(number)
        return chain


class Texts:
    """Every token has a text, or none has; and a token of plain letters always has the same.

    (One that is part of a longer character has its text from its neighbours too.)
    """

    def __init__(self, checks: Level, recorded: bool) -> None:
        self.checks, self.recorded = checks, recorded
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
