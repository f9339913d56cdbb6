"""The chat template that a model was tuned with."""

from __future__ import annotations

from astrai_sim.extras import require
from astrai_sim.model.gguf_file import GgufFile


class ChatTemplate:
    """Turns a conversation into the text that the model continues.

    `source` is the Jinja template of the model's file.
    """

    def __init__(self, source: str) -> None:
        sandbox = require("jinja2.sandbox", "smollm2")
        environment = sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(source)

    @classmethod
    def of(cls, file: GgufFile) -> ChatTemplate:
        """The template that `file` carries."""
        return cls(file.field("tokenizer.chat_template"))

    def prompt(self, user: str, system: str | None = None) -> str:
        """A user's message, after `system` or else the template's own, up to the answer."""
        messages = [{"role": "user", "content": user}]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        return self._template.render(messages=messages, add_generation_prompt=True)
