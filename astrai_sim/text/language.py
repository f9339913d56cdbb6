"""The language of a model: what turns conversations into its tokens and back, by its chat template."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from astrai_sim.extras import require
from astrai_sim.model.gguf_file import GgufFile, smollm2
from astrai_sim.text.tokenizer import Tokenizer


class ChatTemplate:
    """Turns a conversation into the text that the model continues; `source` is the Jinja template of its file."""

    def __init__(self, source: str) -> None:
        sandbox = require("jinja2.sandbox", "smollm2")
        environment = sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(source)

    def prompt(self, user: str, system: str | None = None) -> str:
        """A user's message, after `system` or else the template's own, up to the answer."""
        messages = [{"role": "user", "content": user}]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        return self._template.render(messages=messages, add_generation_prompt=True)


@dataclass(frozen=True, eq=False)
class Language:
    """Tokenizer, chat template and end token of a model's file."""

    tokenizer: Tokenizer
    chat: ChatTemplate
    eos: int
    name: str

    @classmethod
    def of(cls, file: GgufFile) -> "Language":
        """What `file` carries. Raises ValueError for a tokenizer that is not known."""
        eos, name = file.field("tokenizer.ggml.eos_token_id"), file.field("tokenizer.ggml.pre")
        return cls(Tokenizer.of(file), ChatTemplate(file.field("tokenizer.chat_template")), eos, name)

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
