"""Words in pages: which token each slot holds, how that is written, and the answers of a conversation."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from astrai_sim.trace import Trace
from scenes import theme
from scenes.truth.tape import written_by
from scenes.truth.text import answer, boxed, special, written
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

MARKED = 5
"""Tokens of a chat mark at most."""
TINT = 0.28


def _texts(witness: Witness, task: str) -> tuple[str, ...]:
    """All texts that a request ever had."""
    return witness.state(witness.last).tasks[task].texts or ()


@vouches("token.word")
def word(witness: Witness, task: str, position: int) -> str:
    """A token as it is written wherever it stands."""
    return written(_texts(witness, task)[position])


@vouches("token.id")
def token_id(witness: Witness, task: str, position: int) -> int:
    """The number of a token whose text cannot be written."""
    ids = witness.state(witness.last).tasks[task].tokens
    if ids is None:
        raise LookupError(f"the ids of {task} were not recorded")
    return ids[position]


@vouches("token.mark")
def token_mark(witness: Witness, task: str, position: int) -> str:
    """What the chat mark that begins at a token is called."""
    return mark(_texts(witness, task)[position : position + MARKED])[0]


def mark(pieces: Sequence[str]) -> tuple[str, int]:
    """Name of a chat mark and its tokens: `<|im_start|>`, a word and a line break, or a control
    token with or without the break."""
    name = special(pieces[0])
    if name is None:
        raise LookupError(f"{pieces[0]!r} is no control token")
    if "\n" not in pieces[1:]:
        return name, 1
    end = pieces.index("\n", 1)
    role = "".join(pieces[1:end]).split()
    if any(special(piece) for piece in pieces[1:end]) or len(role) > 1:
        return name, 1
    return (role or [name])[0], end + 1


@lru_cache(maxsize=4)
def _written(trace: Trace, task: str) -> dict[int, int]:
    """Tokens of a request in whose slots something is written, and the first of the chat mark that it is, else they
    themselves: a mark stands in the slot of its first token, of three or more in that of the second."""
    texts, found, at = _texts(Witness.of(trace), task), dict[int, int](), 0
    while at < len(texts):
        count = mark(texts[at : at + MARKED])[1] if special(texts[at]) else 1
        found[at + (count > 2)] = at
        at += count
    return found


@shows("pool.words", fades=True)
def words(witness: Witness, at: int, shown: Mapping) -> dict[int, dict[int, str]]:
    """The words of each page by the slot in which each stands: of whatever was written last, chat marks as
    one; of a page that is folded those that are shown."""
    size, found = witness.page_size, dict[int, dict[int, str]]()
    for page in shown["pool.slots"]:
        truth = dict[int, str]()
        for slot, (task, logical, _) in written_by(witness.trace, page, at).items():
            position = logical * size + slot
            start = _written(witness.trace, task).get(position) if _texts(witness, task) else position
            if start is not None:
                truth[slot] = _said(witness, task, start, shown["pool.words"].get(page, {}).get(slot, ""))
        if page in shown["pool.folded"]:
            truth = {slot: text for slot, text in truth.items() if slot in shown["pool.words"].get(page, {})}
        if truth:
            found[page] = truth
    return found


def _said(witness: Witness, task: str, position: int, shown: str) -> str:
    """A token as it should be written, its id where what is shown has none of its characters."""
    texts = _texts(witness, task)
    if not texts:
        return "·"
    marked = special(texts[position]) is not None
    whole = token_mark(witness, task, position) if marked else word(witness, task, position)
    head, cut, tail = shown.partition("…")
    if cut and len(shown) < len(whole) and boxed(whole[: len(head)], head) == head and whole.endswith(tail):
        return shown
    if marked:
        return whole
    said = boxed(word(witness, task, position), shown)
    ids = witness.state(witness.last).tasks[task].tokens
    plain = any(char.isascii() and char.isprintable() for char in said)
    return said if plain or not ids or shown != str(ids[position]) else shown


@vouches("words.folded")
def folded(witness: Witness, page: int, shown: int, at: int) -> int:
    """Tokens of a page beside those that are shown: written ones, and those that its first holder knows."""
    state, size = witness.state(at), witness.page_size
    slots = set(written_by(witness.trace, page, at))
    for task in witness.owners(page, at)[:1]:
        first = state.tables[task].index(page) * size
        slots |= set(range(min(size, state.tasks[task].n_tokens - first)))
    return len(slots) - shown


@shows("talk.said", fades=True)
def said(witness: Witness, at: int, shown: Mapping) -> dict[str, str]:
    """Each answer, blanks between its words single: all of it, or its end where that is what is shown."""
    found = {}
    for task, text in shown["talk.said"].items():
        whole = " ".join(answer(witness, task, at).split())
        end = boxed(whole[len(whole) - min(len(text), len(whole)) :], text)
        found[task] = text if end == text or "…" in text else whole
    return found


@shows("talk.tints", fades=True)
def tints(witness: Witness, at: int, shown: Mapping) -> dict[str, dict[int, tuple[float, ...]]]:
    """The colour of every entry that is shown: the panel's, tinted with the hue of whoever computed
    what is in the page, or untinted while there is nothing."""
    found: dict[str, dict[int, tuple[float, ...]]] = {}
    look = theme.THEMES[shown["theme"]]
    for task, entries in shown["talk.tints"].items():
        table = witness.state(at).tables.get(task, [])
        for logical in entries:
            if logical >= len(table):
                continue
            color = look.panel
            if witness.slots(table[logical], at):
                slots = written_by(witness.trace, table[logical], at)
                writer = slots[min(slots)][0] if slots else task
                color = theme.mix(color, look.hue(witness.order[writer]), TINT)
            found.setdefault(task, {})[logical] = tuple(map(float, theme.rgb(color)))
    return found


# It only says how the words are to be read.
shows("pool.folded")(lambda witness, at, shown: shown["pool.folded"])
