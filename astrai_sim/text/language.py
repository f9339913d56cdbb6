"""The language of a model: what turns conversations into its tokens and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from astrai_sim.model.gguf_file import GgufFile
from astrai_sim.model.smollm2 import smollm2
from astrai_sim.text.chat import ChatTemplate
from astrai_sim.text.tokenizer import Tokenizer


@dataclass(frozen=True, eq=False)
class Language:
    """Tokenizer, chat template and end token of a model's file."""

    tokenizer: Tokenizer
    chat: ChatTemplate
    eos: int
    name: str

    @classmethod
    def of(cls, file: GgufFile) -> Language:
        """What `file` carries. Raises ValueError for a tokenizer that is not known."""
        return cls(
            Tokenizer.of(file),
            ChatTemplate.of(file),
            file.field("tokenizer.ggml.eos_token_id"),
            file.field("tokenizer.ggml.pre"),
        )

    def prompt_ids(self, user: str, system: str | None = None) -> list[int]:
        """Token ids of a user's message after a system prompt, up to the answer."""
        return self.tokenizer.encode(self.chat.prompt(user, system))

    def facts(self) -> dict[str, Any]:
        """Name and size of the vocabulary, for a trace's header."""
        return {"name": self.name, "kind": "byte-level BPE", "tokens": len(self.tokenizer)}


@cache
def smollm2_language() -> Language:
    """The language of SmolLM2. Raises MissingExtra where something is not installed."""
    return Language.of(smollm2())
