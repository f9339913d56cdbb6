"""A number on screen: what of what it is, its value, and how it is written."""

from dataclasses import dataclass
from typing import Any

from scenes.measures.forms import FORMS


@dataclass(frozen=True)
class Measure:
    """`value` of `name`, taken of `args`, written in `form` (a key of `FORMS`).

    Without the argument `at`, the number of an event, a measure of a state is *live*: it
    says what holds at the moment that the picture shows.
    """

    name: str
    args: tuple[tuple[str, Any], ...]
    value: Any
    form: str = "count"

    def __str__(self) -> str:
        return FORMS[self.form].write(self.value)

    @property
    def label(self) -> str:
        """What of what, as reports write it: `request.ttft(task=E)`."""
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in self.args)})"


def measure(name: str, value: Any, form: str = "count", /, **args: Any) -> Measure:
    """The measure called `name` of `args`. Raises KeyError for a form that there is not."""
    if form not in FORMS:
        raise KeyError(f"no form is called {form!r}: {', '.join(FORMS)}")
    return Measure(name, tuple(sorted(args.items())), value, form)
