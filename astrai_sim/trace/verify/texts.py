"""What the tokens say."""

from __future__ import annotations

from astrai_sim.trace.verify.checks import Level


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
