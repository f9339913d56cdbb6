"""Who vouches for what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

from scenes.truth.witness import Witness
from scenes.truth.writing import WRITING

Truth = Callable[..., Any]


@dataclass(frozen=True)
class Voucher:
    """`compute` gives a measure's value from a witness and the measure's arguments.

    It takes `at`, the number of an event, where `live`: the measure's own, or the moment shown.
    """

    compute: Truth
    live: bool


VOUCHERS: dict[str, Voucher] = {}
"""Who computes each measure, by its name."""

SHOWN: dict[str, Truth] = {}
"""Who says what a stage should show in a field that is no text: (witness, at, shown) -> value,
`shown` being all fields as the stage reads them."""


def vouches(*names: str) -> Callable[[Truth], Truth]:
    """The function computes the measures called `names`."""

    def register(compute: Truth) -> Truth:
        for name in names:
            if name in VOUCHERS:
                raise ValueError(f"two vouch for {name}")
            VOUCHERS[name] = Voucher(compute, "at" in signature(compute).parameters)
        return compute

    return register


def shows(field: str) -> Callable[[Truth], Truth]:
    """The function says what the field called `field` should show."""

    def register(compute: Truth) -> Truth:
        SHOWN[field] = compute
        return compute

    return register


def is_live(name: str, args: Mapping[str, Any]) -> bool:
    """Whether a measure says what holds at the moment shown."""
    return name in VOUCHERS and VOUCHERS[name].live and "at" not in args


def true_text(witness: Witness, name: str, args: Mapping[str, Any], form: str, moment: int) -> str:
    """A measure as it should be written while event `moment` is the last one shown.

    Raises LookupError where nobody vouches for it, or where it has no value then.
    """
    if name not in VOUCHERS:
        raise LookupError(f"nobody vouches for {name}: add it to scenes.truth")
    if is_live(name, args):
        args = {**args, "at": moment}
    return WRITING[form](VOUCHERS[name].compute(witness, **args))


def _told(*fields: str) -> None:
    """Fields that only say what others leave out, or how they are to be read."""
    for field in fields:
        SHOWN[field] = lambda witness, at, shown, field=field: shown[field]


_told("hidden_tables", "hidden_entries", "lru_hidden", "queue_hidden", "shelf_hidden", "map_group", "map_lit", "folded")
