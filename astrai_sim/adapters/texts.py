"""Texts of tokens, by the tokenizer that a live engine carries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

CUT = "\ufffd"
"""What bytes are decoded to that are no whole character, or not yet."""


@dataclass(frozen=True)
class Speech:
    """What turns token ids into their text, special tokens included, and what headers say of it
    (`astrai_sim.trace.header.TokenizerFacts`)."""

    decode: Callable[[Sequence[int]], str]
    facts: dict[str, Any]

    @classmethod
    def of(cls, tokenizer: Any) -> Self | None:
        """That of a tokenizer of the libraries `tokenizers` and `transformers`, or of one that holds such a one as
        `backend_tokenizer` or `_tokenizer`, as AstrAI's does; None for anything else."""
        holds = (getattr(tokenizer, name, None) for name in ("backend_tokenizer", "_tokenizer"))
        inner = next((held for held in (*holds, tokenizer) if hasattr(held, "get_vocab_size")), None)
        name = Path(str(getattr(tokenizer, "name_or_path", "") or type(tokenizer).__name__)).name
        if inner is not None:
            kind, count = type(inner.model).__name__, inner.get_vocab_size()
            decode = partial(inner.decode, skip_special_tokens=False)
        elif hasattr(tokenizer, "convert_ids_to_tokens"):
            kind, count = type(tokenizer).__name__, len(tokenizer)
            decode = partial(tokenizer.decode, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        else:
            return None
        return cls(decode, {"name": name, "kind": kind, "tokens": count})


class SpokenStream:
    """The text of one sequence of tokens, piece by piece: the pieces, in order, concatenate to the text.

    A token's piece is what it adds to the text of those before it, since decoders treat the first token of a text
    otherwise than later ones (a leading space goes): the first one is looked at behind itself. A character whose bytes
    come in several tokens belongs to the last of them, and the earlier ones give "", as in `text.TextStream`.
    """

    def __init__(self, speech: Speech) -> None:
        self._decode = speech.decode
        self._before: list[int] = []
        self._held: list[int] = []

    def feed(self, token: int) -> str:
        """The text that `token` adds."""
        self._held.append(token)
        if not self._before and CUT not in self._decode([token]):
            self._before = [token]
        known, whole = self._decode(self._before), self._decode([*self._before, *self._held])
        if len(whole) <= len(known) or whole.endswith(CUT):
            return ""
        self._before, self._held = self._held, []
        return whole[len(known) :]
