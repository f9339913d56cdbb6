"""Traces of engines that nobody knows, drawn at random: true ones that say hostile things, and shipped ones changed."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st

from astrai_sim.trace import Trace
from tests.conftest import ROOT
from tests.trace.foreign import OnePass

TEXTS = (
    *("", " ", "0", "-1", "[/red]", "[bold", "<b>&amp;</b>", "{0} {x.y!r:>9}", "{", "%s%n", "\\N{BULLET}"),
    *("../../etc/passwd", "/dev/stdin", "C:\\NUL", "-rf", "$(touch owned)", "`id`; id | id >x", "x\ny: z", "a\r\nb"),
    *("\x1b[2J\x1b]0;owned\x07", "a\0b", "\u202edrawkcab", "\u200b", "\ufeff", "\U0001f600", "e" + "\u0301" * 40),
    *("张伟", "मनीष", "\U000f0000", "\ud800", "A" * 300, "long name " * 4000, "__import__('os').abort()"),
)
NUMBERS = (0, 1, -1, 7, 2**31, 2**53, 2**63 - 1, 2**64, 10**30, -(10**30), 0.5, 1e308, -0.0, True, None)
OTHERS = ([], {}, [[]], [0] * 1000, {"a": {"b": 1}})
SHIPPED = ("paging", "prefix_sharing", "eviction", "preemption", "fragmentation", "chunked_prefill")
FIRST, DEEPER = 0.4, 0.75
"""How often a header is changed, and what is within a value instead of all of it."""

texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=40))
SHOWN = ("A", "B c", "[/red]", "[bold", "<b>&amp;</b>", "%s%n", "-rf", "$(id)", "../up", "`id`", "é")
"""Texts that mean something to somebody else, and that any film can show: without braces and digits of no measure."""


@st.composite
def runs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """The lines of a true run of a small engine: pools, prompts, names and times of any kind, in either detail."""
    shown = draw(st.integers(0, 3)) > 0
    says = st.sampled_from(SHOWN) if shown else texts
    size = draw(st.sampled_from((1, 2, 4, 16)))
    names = draw(st.lists(says, min_size=1, max_size=5, unique=True))
    answer, most = draw(st.integers(1, 12)), draw(st.sampled_from((1, 5, 40)))
    prompts = {name: draw(st.integers(1, most)) for name in names}
    needed = sum(-(-(length + answer) // size) for length in prompts.values())
    pages = needed + draw(st.sampled_from((0, 1, 7, 40, 3000)))
    odd = ("[/red]", "%s", "$(id)") if shown else ("[/red]", "\x1b[2J", "\u202e$(id)")
    phases = draw(st.sampled_from((OnePass.PHASES, ("a", "b", "c"), odd)))
    tick = draw(st.sampled_from((0, 1, 1000, 10**9, 10**15)))
    run = OnePass(prompts, answer, pages, size, draw(st.integers(1, 9)), phases, tick, draw(st.booleans()))
    header, *events, footer = run.trace()
    header["engine"] = {"name": draw(says.filter(lambda name: name != "astrai_sim")), "version": draw(says)}
    header["device"] = {"type": draw(st.sampled_from(("cpu", "cuda", "[/red]"))), "name": draw(says)}
    header["started"], header["model"] = draw(says), draw(says.filter(lambda name: name != "none"))
    header["dtype"] = draw(st.sampled_from(("float16", "float64")))
    most = draw(st.sampled_from((1, 64, 1 << 40)))
    header["scenario"] |= {"model": {"n_layers": most, "n_kv_heads": 1, "head_dim": most}}
    header["scenario"] |= {name: draw(says) for name in ("name", "title", "question", "takeaway")}
    if draw(st.booleans()):
        text = draw(says)
        header["sources"] = {"Pool.take": {"file": draw(says), "line": 1, "text": f"def take(self):\n    {text}\n"}}
        header["roles"] = {"alloc": "Pool.take", "write": draw(says)}
    if draw(st.booleans()):
        last = events[-1]
        events.append({**last, "seq": last["seq"] + 1, "event": "task_submitted", "task": "who waits", "prompt": [1]})
        events[-1]["max_tokens"] = draw(st.sampled_from((1, 2**31) if shown else (1, 2**31, 2**62, 10**30)))
    if draw(st.booleans()):
        header, events = _in_bulk(header, events, pages)
    return [header, *events, {**footer, "events": len(events)}]


def _in_bulk(header: dict, events: list[dict], free: int) -> tuple[dict, list[dict]]:
    """The same run in runs of pages."""
    kept: list[dict] = []
    tables: dict[str, list[int]] = {}
    for line in events:
        kind, task = line["event"], line.get("task")
        if kind == "task_submitted":
            line = {**line, "prompt_len": len(line["prompt"])}
        elif kind == "page_alloc":
            free -= 1
            line = {**line, "event": "pages_alloc", "runs": [[line["page"], 1]], "refs": 1, "free": free}
        elif kind == "task_admitted":
            line = {**line, "n_pages": len(line["pages"])}
        elif kind == "kv_write":
            tasks, counts = ([span[name] for span in line["spans"]] for name in ("task", "count"))
            line = {**line, "event": "kv_lengths", "tasks": tasks, "counts": counts}
        elif kind == "token":
            line = {**line, "event": "tokens", "tasks": [task], "ids": [line["id"]]}
        elif kind == "phase_end":
            line = {**line, "n_tasks": len(line["tasks"])}
        elif kind == "page_free" and task is None:
            free += 1
            line = {**line, "event": "pages_free", "runs": [[line["page"], 1]], "refs": 0, "free": free}
        elif kind == "table" and not line["pages"]:
            pages = tables.pop(task)[::-1]
            free += len(pages)
            runs = {"runs": [[page, 1] for page in pages], "logical": len(pages) - 1, "refs": 0, "free": free}
            line = {name: line[name] for name in ("step", "phase", "ns", "task")} | {"event": "pages_free", **runs}
        elif kind in ("table", "page_free"):
            tables[task] = line.get("pages") or tables[task]
            continue
        kept.append(line)
    return {**header, "detail": "bulk"}, [{**line, "seq": seq} for seq, line in enumerate(kept)]


@cache
def shipped(name: str) -> list[bytes]:
    """The lines of a trace that is shipped."""
    return bytes(Trace.open(ROOT / "assets" / "traces" / f"{name}.jsonl.gz").content).splitlines(keepends=True)


def changed(lines: list[bytes], random: Random) -> bytes:
    """Lines of a trace with one value changed, left out, or doubled, under a footer that fits."""
    lines = [*lines]
    at = 0 if random.random() < FIRST else random.randrange(len(lines))
    line = json.loads(lines[at])
    place, key = line, random.choice(sorted(line))
    while isinstance(place[key], dict | list) and place[key] and random.random() < DEEPER:
        place = place[key]
        key = random.choice(sorted(place)) if isinstance(place, dict) else random.randrange(len(place))
    how = random.choice(("another", "another", "another", "near", "gone", "twice"))
    if how == "gone" and isinstance(place, dict):
        del place[key]
    elif how == "twice" and isinstance(place, list):
        place.append(place[key])
    elif how == "near" and type(place[key]) is int:
        place[key] += random.choice((-1, 1))
    else:
        place[key] = random.choice((*NUMBERS, *OTHERS, *TEXTS))
    lines[at] = json.dumps(line).encode() + b"\n"
    footer = json.loads(lines[-1])
    if at < len(lines) - 1 and footer.get("sha256"):
        digest = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
        lines[-1] = json.dumps({**footer, "sha256": digest}).encode() + b"\n"
    return b"".join(lines)


def changes() -> st.SearchStrategy[bytes]:
    """A shipped trace with a change."""
    return st.builds(changed, st.sampled_from(SHIPPED).map(shipped), st.randoms(use_true_random=False))
