"""Words: what is said, which page holds its K and V, and what cards say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from astrai_sim.trace import Trace
from scenes.truth.pool import page_colors
from scenes.truth.vouching import shows, vouch_all, vouches
from scenes.truth.witness import Witness

SPECIAL = re.compile(r"<\|(?:\w*_)?(\w+?)\|>|<(/?s)>")
SIGNS = str.maketrans({"\n": "↵", "\r": "↵", "\t": "⇥", " ": "␣", "\xa0": "␣"})
BOX = "□"
MOST = 24
Row = tuple[str, int]


def boxed(truth: str, shown: str) -> str:
    """`truth` with a box for each character beyond ASCII where `shown` has one: a font has not
    every character."""
    if len(truth) != len(shown):
        return truth
    pairs = zip(truth, shown, strict=True)
    return "".join(BOX if there == BOX and not char.isascii() else char for char, there in pairs)


def special(piece: str) -> str | None:
    """What a control token is called; None for other text."""
    found = SPECIAL.fullmatch(piece)
    return None if found is None else found[1] or found[2]


def written(piece: str) -> str:
    """A token as the transcript writes it: with a sign for each blank but the one before a word."""
    name = special(piece)
    if name is not None:
        return name
    body = piece[1:] if re.match(r" \S", piece) else piece
    body = body.translate(SIGNS)
    return (body[: MOST - 1] + "…" if len(body) > MOST else body) or "·"


@lru_cache(maxsize=64)
def content(trace: Trace, at: int) -> dict[Row, int]:
    """Which page holds the tokens of (task, logical page): what tables said last, as long as the
    page has not been free or allocated anew since."""
    witness, held = Witness.of(trace), {}
    kinds = ("table", "pages_alloc", "pages_evicted", "pages_free", "prefix_reset")
    for event in witness.events(*kinds, before=at + 1):
        gone: set[int] = set()
        if event.event == "table":
            held |= {(event.task, logical): page for logical, page in enumerate(event.pages)}
        elif event.event == "prefix_reset":
            state = trace.state_at(event.seq)
            gone = {page for page in held.values() if state.page_state(page) == "free"}
        else:
            refs = event.refs if event.event == "pages_free" else [0] * len(event.pages)
            gone = {page for page, ref in zip(event.pages, refs, strict=True) if not ref}
        held = {row: page for row, page in held.items() if page not in gone}
    return held


def _texts(witness: Witness, task: str, at: int) -> tuple[str, ...]:
    texts = witness.state(at).tasks[task].texts
    if texts is None:
        raise LookupError(f"the trace does not say the words of {task}")
    return texts


def _in_turns(pieces: tuple[str, ...]) -> list[tuple[str, str]]:
    """(role, words) of every stretch between control tokens; a role is one word on a line above."""
    stretches: list[list[str]] = [[]]
    for piece in pieces:
        if special(piece) is not None:
            stretches.append([])
        else:
            stretches[-1].append(piece)
    turns = []
    for text in map("".join, stretches):
        head, line, body = text.partition("\n")
        role = head.strip() if line and len(head.split()) == 1 else ""
        turns.append((role, (body if role else text).strip()))
    return [turn for turn in turns if turn[1]]


def _plain(pieces: tuple[str, ...]) -> str:
    return "".join(piece for piece in pieces if special(piece) is None).strip()


@vouches("request.question")
def question(witness: Witness, task: str) -> str:
    """The last turn of a prompt that is not the system's; all of a prompt without control tokens."""
    pieces = witness.lives[task].texts or ()
    if all(special(piece) is None for piece in pieces):
        return _plain(pieces)
    asked = [words for role, words in _in_turns(pieces) if role != "system"]
    return asked[-1] if asked else ""


@vouches("request.system")
def system(witness: Witness, task: str) -> str:
    """The system's turn."""
    return next((words for role, words in _in_turns(witness.lives[task].texts or ()) if role == "system"), "")


@vouches("request.answer")
def answer(witness: Witness, task: str, at: int) -> str:
    """What it has said so far."""
    return _plain(_texts(witness, task, at)[witness.lives[task].prompt :])


@vouches("row.more")
def row_more(witness: Witness, task: str, first: int, shown: int, at: int) -> int:
    """Tokens of a row that are left out; a last row may have one beyond its page."""
    count = witness.state(at).tasks[task].n_tokens - first
    return (count if count == witness.page_size + 1 else min(witness.page_size, count)) - shown


def _kept_pages(witness: Witness, task: str, at: int) -> list[int]:
    return [page for row, page in sorted(content(witness.trace, at).items()) if row[0] == task]


@shows("speakers")
def speakers(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple]:
    """Table as far as shown, entries left out."""
    found = {}
    for task, (pages, hidden) in shown["speakers"].items():
        table = list(witness.state(at).tables.get(task, ()))
        found[task] = (table[: len(table) - hidden] if len(pages) + hidden == len(table) else table, hidden)
    return found


@shows("said")
def said(witness: Witness, at: int, shown: Mapping) -> dict[Row, str]:
    """The words shown; a word that should be there too is missed by `cut`."""
    truth = {}
    for (task, position), text in shown["said"].items():
        texts = _texts(witness, task, at)
        word = written(texts[position]) if position < len(texts) else "nothing yet"
        truth[task, position] = boxed(word, text)
    return truth


@shows("unsaid")
def unsaid(witness: Witness, at: int, shown: Mapping) -> dict[Row, Row | str]:
    """Rows that another request's row tells: its words are the same."""
    size, truth = witness.page_size, {}
    for (task, logical), (other, there) in shown["unsaid"].items():
        mine = _texts(witness, task, at)[logical * size : (logical + 1) * size]
        told = _texts(witness, other, at)[there * size : (there + 1) * size]
        truth[task, logical] = (other, there) if mine == told[: len(mine)] else f"other words: {mine}"
    return truth


@shows("cut")
def cut(witness: Witness, at: int, shown: Mapping) -> dict[Row, int]:
    """Words left out of each row: every other one is told, here or by another request's row."""
    size, missing = witness.page_size, {}
    for task in shown["speakers"]:
        elsewhere = {logical for name, logical in shown["unsaid"] if name == task}
        elsewhere |= set(shown["folded"].get(task, ()))
        for position in range(witness.state(at).tasks[task].n_tokens):
            row = (task, position // size)
            if (task, position) not in shown["said"] and row[1] not in elsewhere:
                missing[row] = missing.get(row, 0) + 1
    return missing


@shows("row_pages")
def row_pages(witness: Witness, at: int, shown: Mapping) -> dict[Row, int | None]:
    return {row: content(witness.trace, at).get(row) for row in shown["row_pages"]}


@shows("row_colors")
def row_colors(witness: Witness, at: int, shown: Mapping) -> dict[Row, tuple[str, ...]]:
    pages = row_pages(witness, at, shown)
    return {row: () if page is None else page_colors(witness, page, at) for row, page in pages.items()}


@shows("kept")
def kept(witness: Witness, at: int, shown: Mapping) -> dict[Row, bool]:
    """Whether the K and V of a word are in its row's page."""
    size, pages = witness.page_size, row_pages(witness, at, shown)
    norms = {page: witness.state(at).norms(page) for page in pages.values() if page is not None}
    found = {}
    for task, position in shown["kept"]:
        page = pages.get((task, position // size))
        found[task, position] = page is not None and not np.isnan(norms[page][position % size])
    return found


@shows("pointer")
def pointer(witness: Witness, at: int, shown: Mapping) -> dict:
    """The slot that a pointer ends on is that of its word."""
    marks = dict(shown["pointer"])
    if "slot" in marks:
        task, position = marks["word"]
        logical, slot = divmod(position, witness.page_size)
        marks["slot"] = (witness.state(at).tables[task][logical], slot)
    return marks


@shows("cards")
def cards(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple]:
    """The whole answer, or its beginning with an ellipsis; pages that still hold a card's words (as
    far as shown), and how many more."""
    found = {}
    for task, (said, pages, hidden) in shown["cards"].items():
        whole = answer(witness, task, at) if said else ""
        packed, cut = "".join(said.removesuffix("…").split()), said.endswith("…")
        begun = boxed("".join(whole.split())[: len(packed) if cut else None], packed)
        held = _kept_pages(witness, task, at) if pages or hidden else []
        as_shown = len(pages) + hidden == len(held)
        found[task] = (said if begun == packed else whole, held[: len(pages)] if as_shown else held, hidden)
    return found


vouch_all(
    {
        # A token as the transcript writes it, from when it is there.
        "token.shown": lambda witness, task, position, at: written(_texts(witness, task, at)[position]),
        # How many of the logical pages `rows` of its text have begun.
        "rows.more": lambda witness, task, rows, at: sum(
            logical * witness.page_size < witness.state(at).tasks[task].n_tokens for logical in rows
        ),
        # Pages that still hold a request's text, beyond those shown.
        "card.more": lambda witness, task, shown, at: len(_kept_pages(witness, task, at)) - shown,
    }
)
