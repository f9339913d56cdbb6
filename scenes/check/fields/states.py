"""How many pages are in each state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("page_states",)


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """A wrong count of a state's pages."""
    counts = Counter(state.page_state(page) for page in range(state.n_pages))
    for name, count in shown.get("page_states", {}).items():
        if count != counts[name]:
            yield Difference(f"page_states[{name}]", count, counts[name])
