"""Words around measures: lists, counts and verbs that go with them, as `Said`."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from scenes.measures import Measure, Said, joined, measure, say
from scenes.measures.forms import FINEST

Text = str | Measure
MOST = 6
"""Things up to which they are named one by one."""

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def many(items: Sequence[Text]) -> Measure:
    """How many `items` there are."""
    return measure("count", len(items), "count", of=tuple(items))


def listed(items: Sequence[Text], most: int = MOST) -> Said:
    """`1`, `1 and 2`, `1, 2 and 3`; beyond `most` items only how many there are."""
    if len(items) > most:
        return say("{} in all", many(items))
    return joined(" and ", filter(None, (joined(", ", items[:-1]), *items[-1:])))


def plural(n: Measure | Sequence[object], one: str, more: str | None = None) -> str:
    """`one` where `n` is one or has one item, else `more`: `one` with an s where it is not given."""
    is_one = (n.value if isinstance(n, Measure) else len(n)) == 1
    return one if is_one else f"{one}s" if more is None else more


def counted(n: Measure, noun: str) -> Said:
    """`1 page`, `2 pages`."""
    return say("{} {}", n, plural(n, noun))


def are(n: Measure | Sequence[object]) -> str:
    """`is` or `are`."""
    return plural(n, "is", "are")


def pages_text(pages: Sequence[Measure], most: int = MOST, runs: bool = False) -> Said:
    """`page 4`, `pages 0, 1 and 2`, beyond `most` `8 pages`.

    With `runs`, three or more that follow one another are `pages 0–3`, however many they are.
    """
    if runs and len(pages) > 2 and all(b.value - a.value == 1 for a, b in pairwise(pages)):
        return say("pages {}–{}", pages[0], pages[-1])
    if len(pages) > most:
        return say("{} pages", many(pages))
    return say("{} {}", plural(pages, "page"), listed(pages))


def number(n: Measure) -> Said:
    """A small number as a word, others in digits."""
    return say(NUMBERS[n.value]) if n.value < len(NUMBERS) else say("{}", n)


def adding_up(*times: Measure) -> list[Measure]:
    """Times of whole nanoseconds, the last the sum of the others, in milliseconds with as few decimals as they add up
    with when written: from three figures of the shortest on."""
    shortest = Decimal(max(1, min(time.value for time in times))).adjusted()
    for places in range(min(FINEST, max(0, FINEST + 2 - shortest)), FINEST + 1):
        shown = [replace(time, form=f"ms.{places}") for time in times]
        *parts, whole = (Decimal(str(time).removesuffix(" ms")) for time in shown)
        if sum(parts) == whole:
            return shown
    raise ValueError(f"{', '.join(map(str, times[:-1]))} are not {times[-1]} in all")


def possessive(name: Text) -> Said:
    """`name` with its apostrophe."""
    return say("{}'" if str(name).endswith("s") else "{}'s", name)


def sentence(text: str) -> Said:
    """`text` with its first letter made a capital."""
    return joined("", (text,)).capitalised()
