"""Keys of pages, as far as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("keys",)


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Keys that do not begin the one recorded last for their page."""
    if "keys" not in shown:
        return
    keyed = recorded.trace.find(event="pages_keyed", before=recorded.until + 1)
    keys = {event.page: event.key for event in keyed}
    for page, text in shown["keys"].items():
        if not text or not keys.get(page, "").startswith(text):
            yield Difference(f"keys[{page}]", text, keys.get(page))
