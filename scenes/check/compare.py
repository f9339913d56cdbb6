"""What a stage shows against the state that was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.fields import FIELDS
from scenes.check.recorded import Difference, Recorded


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Everything in `shown`, as `Stage.read` returns it, that differs from `state`.

    A part that is not on stage is absent from `shown` and is not compared. A field
    that no module of `scenes.check.fields` knows is a difference: nothing is shown
    unchecked.
    """
    for name in shown:
        if name not in FIELDS:
            yield Difference(name, "shown", "not compared: add it to scenes.check.fields")
    for compare in dict.fromkeys(FIELDS.values()):
        yield from compare(shown, state, recorded)
