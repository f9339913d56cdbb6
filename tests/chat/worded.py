"""Recorded traces with a text for every token, as a model that knows text would give."""

from __future__ import annotations

import json
from pathlib import Path

from astrai_sim.trace import Trace, TraceWriter

PIECES = (
    "<|im_start|>",
    "user",
    "\n",
    " the",
    " wavelength",
    " of",
    " light",
    ",",
    " 日本",
    "",
    " un",
    "believ",
    "able",
    "\n\n",
    " \t",
    "🙂",
    " Donaudampfschifffahrtsgesellschaft",
    " é",
    ".",
    " A",
    " cat",
    " sat",
    "\ufffd",
    " on",
    " my",
    " keyboard",
    "'s",
    " again",
    "<|im_end|>",
)


def piece(token: int) -> str:
    """The text of a token, the same for the same id."""
    return PIECES[token % len(PIECES)]


def worded(source: Path, target: Path) -> Path:
    """A copy of the trace `source` in which tokens have their text, as another engine might give it."""
    trace = Trace.open(source)
    lines = trace.content.splitlines()
    header = json.loads(lines[0])
    del header["type"]
    header["engine"]["name"] = "worded"
    header["tokenizer"] = {"name": "pieces", "kind": "a table", "tokens": header["scenario"]["model"]["vocab_size"]}
    writer = TraceWriter(target, header)
    for line in lines[1:-1]:
        data = json.loads(line)
        del data["seq"]
        if data["event"] == "task_submitted":
            data["texts"] = [piece(token) for token in data["prompt"]]
        elif data["event"] == "token":
            data["text"] = piece(data["id"])
        writer.event(data)
    writer.finish(trace.footer.stopped)
    return target
