"""What is highlighted is what the sentence speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scenes.draw.atoms import Key
from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.motion import speaks
from scenes.parts.question import Question, Takeaway

PLAYHEAD = "cursor"
"""The line of code that runs: it is lit for as long as code is shown."""
WORDS = {
    "pool": "page memory cached room",
    "map": "page memory cached room",
    "tape": "page table token tile prompt",
    "bit": "bit mask set free",
    "digit": "bit mask set free",
    "ref": "holder holds ref refcount count reference",
    "slots": "slot token word K V",
    "number": "number table entry",
    "queue": "wait queue",
    "lru": "key row cached",
}
"""What else a sentence may call something, by a word of its key."""


class Acting(Rule):
    """Every atom that acts is named by the caption, or by the question that stands over the picture:
    by an item of its key (a page's number, a request's name), or by a word for what it is."""

    name = "acting"

    def look(self, moment: Moment) -> Iterator[Problem]:
        if moment.stage is None or not moment.moved:
            return
        over = [part.text for part in moment.stage.parts if isinstance(part, (Question, Takeaway))]
        said = words_of(" ".join([moment.stage.caption, *over]))
        unnamed: dict[Key, None] = {}
        for key, atom in moment.atoms.items():
            if atom.acting and not speaks(key) and key[-1] != PLAYHEAD and not names_of(key) & said:
                unnamed[key[:-1] if len(key) > 2 else key] = None
        for key in unnamed:
            sentence = moment.stage.caption or "no sentence"
            yield Problem((str(key),), f"is highlighted, and {sentence!r} does not name it")


def words_of(text: str) -> set[str]:
    """The words of a sentence, in their singular, small letters but for single ones."""
    found = set()
    for word in [*re.findall(r"[\w-]+", text), *(word.strip(".,:;?!") for word in text.split())]:
        low = word if len(word) == 1 else word.lower()
        found |= {word, low, low.removesuffix("s"), low.removesuffix("es"), low.removesuffix("'s")}
    return found


def names_of(key: Key) -> set[str]:
    """How a sentence may call the atom: the items of its key, and words for what they are."""
    found: set[str] = set()
    for item in key:
        found |= {str(item), str(item).lower(), *words_of(WORDS.get(str(item), ""))}
    return found
