"""What the tokens say."""

from __future__ import annotations

from typing import Any

from astrai_sim.trace.verify.checks import Checks


class Texts:
    """Every token has a text, or none has; and a token of plain letters always has the same.

    (One that is part of a longer character has its text from its neighbours too.)
    """

    def __init__(self, checks: Checks, recorded: bool) -> None:
        self.checks = checks
        self.recorded = recorded
        self._known: dict[int, str] = {}

    def check(self, ids: list[int], texts: Any) -> None:
        """The texts of neighbouring tokens, or None."""
        if not self.recorded:
            self.checks.same("text", texts, None)
            return
        self.checks.true("text", type(texts) is list, "the text is missing")
        self.checks.same("texts of tokens", len(texts), len(ids))
        for token, text in zip(ids, texts, strict=True):
            self.checks.true("text", type(text) is str, f"the text of token {token} is missing")
            if text and text.isascii():
                self.checks.same("text of a token", text, self._known.setdefault(token, text))
