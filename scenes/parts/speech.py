"""What requests ask and answer, as lines of text."""

from functools import lru_cache

from astrai_sim.trace import Trace
from scenes.draw import fonts
from scenes.measures import Said, joined, written
from scenes.parts.part import View
from scenes.parts.words import readable
from scenes.story.conversation import Exchange

Words = tuple[str, ...]


def question(view: View, task: str) -> Words:
    """The words of what a request asks; none where its text was not recorded."""
    said = _asked(view.trace, task)
    return _words(written("request.question", said, "name", task=task)) if said else ()


@lru_cache(maxsize=64)
def _asked(trace: Trace, task: str) -> str:
    state = trace.state_at(len(trace) - 1).tasks[task]
    return Exchange.of(state.texts or (), state.prompt_len).question


def answer(view: View, task: str) -> Words:
    """The words that it has answered so far."""
    state = view.state.tasks.get(task)
    if state is None or state.texts is None:
        return ()
    said = Exchange.of(state.texts, state.prompt_len).answer
    return _words(written("request.answer", said, "name", task=task)) if said else ()


def _words(said: Said) -> Words:
    """The words of a text, each with its part of the measure."""
    found, at = [], 0
    for word in str(said).split():
        at = said.index(word, at)
        found.append(readable(said.cut(at, at + len(word))))
        at += len(word)
    return tuple(found)


def lines(words: Words, face: str, px: float, width: float) -> list[str]:
    """`words` in lines of at most `width` pixels; the middle of a word that is wider is left out."""
    rows: list[list[str]] = []
    x, blank = 0.0, fonts.width(" ", face, px)
    for whole in words:
        word = fonts.fit(whole, face, px, width)
        wide = fonts.width(word, face, px)
        if not rows or x + blank + wide > width:
            rows.append([])
            x = -blank
        rows[-1].append(word)
        x += blank + wide
    return [joined(" ", row) for row in rows]
