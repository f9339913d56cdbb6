"""Who vouches for what."""

from collections.abc import Callable
from functools import cache
from inspect import signature
from typing import Any

from scenes.truth.witness import Witness
from scenes.truth.writing import WRITING

Truth = Callable[..., Any]

VOUCHERS: dict[str, Truth] = {}
"""Who computes each measure, by its name, from a witness and the measure's arguments; `at`, where it takes that, is the
number of an event: the measure's own, or the moment shown."""

SHOWN: dict[str, Truth] = {}
"""Who says what a stage should show in a field that is no text: (witness, at, shown) -> value,
`shown` being all fields as the stage reads them."""

FADING: set[str] = set()
"""Fields of `SHOWN` that fade from one value to the next, so that only a picture at rest shows one."""


def vouches(name: str) -> Callable[[Truth], Truth]:
    """The function computes the measure called `name`."""

    def register(compute: Truth) -> Truth:
        if name in VOUCHERS:
            raise ValueError(f"two vouch for {name}")
        VOUCHERS[name] = compute
        return compute

    return register


def shows(field: str, fades: bool = False) -> Callable[[Truth], Truth]:
    """The function says what the field called `field` should show; `fades` as in `FADING`."""

    def register(compute: Truth) -> Truth:
        if field in SHOWN:
            raise ValueError(f"two say what {field} shows")
        SHOWN[field] = compute
        if fades:
            FADING.add(field)
        return compute

    return register


@cache
def _takes_at(compute: Truth) -> bool:
    return "at" in signature(compute).parameters


def is_live(measure: Any) -> bool:
    """Whether a measure says what holds at the moment shown, or one that it is made of does."""
    args = dict(measure.args)
    own = measure.name in VOUCHERS and _takes_at(VOUCHERS[measure.name]) and "at" not in args
    return own or any(is_live(part) for value in args.values() for part in _measures(value))


def _measures(value: Any) -> tuple:
    """The measures that an argument is: one, some, or none."""
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(part for part in parts if hasattr(part, "form") and hasattr(part, "args"))


def true_value(witness: Witness, measure: Any, moment: float) -> Any:
    """A measure (it has `name`, `args`, `form`) computed again while event `moment` is the last one
    shown; measures among its arguments are computed first.

    Raises LookupError where nobody vouches for it, or where it has no value then.
    """
    if measure.name not in VOUCHERS:
        raise LookupError(f"nobody vouches for {measure.name}: add it to scenes.truth")
    compute, args = VOUCHERS[measure.name], dict(measure.args)
    for name, value in args.items():
        if isinstance(value, tuple):
            args[name] = tuple(true_value(witness, v, moment) if _measures(v) else v for v in value)
        elif _measures(value):
            args[name] = true_value(witness, value, moment)
    if _takes_at(compute):
        args.setdefault("at", moment)
    return compute(witness, **args)


def true_text(witness: Witness, measure: Any, moment: float) -> str:
    """The same as it should be written."""
    return WRITING[measure.form](true_value(witness, measure, moment))
