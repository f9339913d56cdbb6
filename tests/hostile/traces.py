"""Traces that nobody recorded: what an attacker or a broken disk might hand to the commands."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from astrai_sim.trace import Trace

Change = Callable[[list[dict[str, Any]]], None]


def put(*path: Any, to: Any) -> Change:
    """Sets what stands at `path`, the line's number first."""

    def change(lines: list[dict[str, Any]]) -> None:
        place: Any = lines
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def named(name: str) -> Change:
    """The first request gets another name wherever it stands."""

    def change(lines: list[dict[str, Any]]) -> None:
        old = next(line["task"] for line in lines if line.get("event") == "task_submitted")
        for line in lines:
            if line.get("task") == old:
                line["task"] = name

    return change


HUGE = 10**30
SCENARIO = (0, "scenario")
CHANGES: dict[str, Change] = {
    **{f"n_pages {n}": put(*SCENARIO, "cache", "n_pages", to=n) for n in (0, -1, 10**9, 10**12, HUGE, 1.5, None, "8")},
    **{f"page_size {n}": put(*SCENARIO, "cache", "page_size", to=n) for n in (0, -4, 10**9, 10**12, HUGE)},
    **{f"{size} {n}": put(*SCENARIO, "model", size, to=n) for size in ("n_layers", "vocab_size") for n in (-1, 10**12)},
    "device a string": put(0, "device", to="cuda"),
    "device null": put(0, "device", to=None),
    "model null": put(*SCENARIO, "model", to=None),
    "model a list": put(0, "model", to=[]),
    "scenario null": put(0, "scenario", to=None),
    "sources a list": put(0, "sources", to=[1, 2]),
    "a source of a megabyte": put(0, "sources", "PagedCache.alloc", to={"file": "x", "line": 1, "text": "x" * 10**6}),
    "requests a string": put(*SCENARIO, "requests", to="all"),
    "version 10^30": put(0, "version", to=HUGE),
    "title of markup": put(*SCENARIO, "title", to="[/red] \x1b[31m \x00 [bold"),
    "scenario name of markup": put(*SCENARIO, "name", to="[/red]\x1b]0;owned\x07"),
    "started of markup": put(0, "started", to="[/red]"),
    "name of markup": named("[/red]"),
    "name of escapes": named("\x1b[2J\x00"),
    "name of a surrogate": named("\ud800"),
    "name of 200 kB": named("A" * 200_000),
    "name of letters without glyphs": named("张伟"),
    "name empty": named(""),
    "seq 10^30": put(5, "seq", to=HUGE),
    "ns 10^30": put(5, "ns", to=HUGE),
    "ns negative": put(5, "ns", to=-1),
    "step 10^18": put(5, "step", to=10**18),
    "event unknown": put(5, "event", to="explosion"),
    "event a list": put(5, "event", to=[]),
    "an event nested deeply": put(5, "pages", to="@deep@"),
    "a header nested deeply": put(0, "engine", to="@deep@"),
    "footer of 10^30 events": put(-1, "events", to=HUGE),
    "footer without a digest": put(-1, "sha256", to=None),
}
DEEP = "[" * 100_000 + "]" * 100_000


def lied(trace: Trace, change: Change) -> bytes:
    """The content of `trace` after `change`, with the digest of a footer that fits."""
    lines = [json.loads(line) for line in bytes(trace.content).splitlines()]
    stated = lines[-1]["sha256"]
    change(lines)
    texts = [json.dumps(line).replace('"@deep@"', DEEP).encode() + b"\n" for line in lines]
    if lines[-1]["sha256"] == stated:
        fits = hashlib.sha256(b"".join(texts[:-1])).hexdigest()
        texts[-1] = texts[-1].replace(stated.encode(), fits.encode())
    return b"".join(texts)


def corpus(trace: Trace, folder: Path) -> Iterator[Path]:
    """Writes every hostile trace made of `trace` to `folder`, one after another."""
    content = bytes(trace.content)
    files = {
        **{name: lied(trace, change) for name, change in CHANGES.items()},
        "empty": b"",
        "one zero": b"\0",
        "cut in the header": content[:100],
        "not JSON": b"{" * 1000 + b"\n",
        "not UTF-8": content.replace(b'"name"', b'"na\xff\xfeme"', 1),
        "header twice": content.splitlines(keepends=True)[0] + content,
        "nested deeply": DEEP.encode() + b"\n",
    }
    for name, data in files.items():
        path = folder / f"{name.replace(' ', '_').replace('^', '')}.jsonl"
        path.write_bytes(data)
        yield path
    packed = gzip.compress(content)
    for name, data in {
        "no gzip": content,
        "cut": packed[:400],
        "damaged": packed[:300] + b"\xff" * 50 + packed[350:],
    }.items():
        path = folder / f"{name.replace(' ', '_')}.jsonl.gz"
        path.write_bytes(data)
        yield path
