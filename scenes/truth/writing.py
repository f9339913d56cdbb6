"""How values are written, by code that films do not use. One function for each form."""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

WHOLE_TABLE = 8


def _fixed(value: float, places: int) -> Decimal:
    """To so many places, halves to the even digit."""
    return Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)


def _grouped(value: int) -> str:
    digits, groups = str(abs(int(value))), []
    while digits:
        digits, last = digits[:-3], digits[-3:]
        groups.insert(0, last)
    return ("-" if value < 0 else "") + ",".join(groups)


def _figures(value: float, figures: int, zeros: bool) -> str:
    """To so many figures, whole numbers in full, trailing `zeros` behind the point kept or not."""
    exact = Decimal(value)
    places = figures - 1 - exact.adjusted() if exact else 0
    for _ in range(2):  # what is rounded up to the next power of ten has a figure more
        rounded = exact.quantize(Decimal(1).scaleb(-max(0, places)), ROUND_HALF_EVEN)
        places = figures - 1 - (rounded or exact).adjusted()
    rounded = exact.quantize(Decimal(1).scaleb(-max(0, places)), ROUND_HALF_EVEN)
    text = format(rounded, "f")
    return text.rstrip("0").rstrip(".") if "." in text and not zeros else text


def _time(ns: float) -> str:
    unit, size = ("s", 10**9) if ns >= 10**9 else ("ms", 10**6)
    return f"{_figures(ns / size, 3, True)} {unit}"


def _bytes(n: int) -> str:
    power = min(4, max(0, (int(n).bit_length() - 1) // 10))
    return f"{_figures(n / 2 ** (10 * power), 3, False)} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def _tick(value: float) -> str:
    exact = _fixed(value, 6)
    whole = _grouped(int(exact))
    return whole if exact == int(exact) else format(exact, "f").rstrip("0")


def _table(pages: Sequence[int]) -> str:
    shown = [str(page) for page in pages]
    if len(shown) > WHOLE_TABLE:
        shown[WHOLE_TABLE - 1 : -1] = ["…"]
    return "[" + ", ".join(shown) + "]"


def _list(items: Sequence[object]) -> str:
    text = ""
    for place, item in enumerate(items):
        after = " and " if place == len(items) - 1 else ", "
        text += f"{after if place else ''}{item}"
    return text


def _clock(ns: int) -> str:
    tenths = _fixed(ns / 10**9, 1)
    return f"{_grouped(int(tenths))}.{int(tenths * 10) % 10} s"


def _number(value: float) -> str:
    if isinstance(value, int) or abs(value) >= 999.5:
        return _grouped(int(_fixed(value, 0)))
    return _figures(value, 3, False)


def _seconds(seconds: float) -> str:
    power = next((power for power in (0, 3, 6) if seconds >= 10.0**-power), 9)
    return f"{_figures(seconds / float(f'1e-{power}'), 3, False)} {('s', 'ms', 'µs', 'ns')[power // 3]}"


def _span(ns: float) -> str:
    return f"{_grouped(int(_fixed(ns / 10**9, 0)))} s" if ns >= 10**10 else f"{_fixed(ns / 10**9, 1)} s"


WRITING: dict[str, Callable[[Any], str]] = {
    "count": _grouped,
    "plain": lambda value: f"{value}",
    "name": lambda value: f"{value}",
    "time": _time,
    **{f"ms.{n}": lambda ns, n=n: f"{_fixed(ns / 10**6, n)} ms" for n in range(7)},
    "exact": lambda ns: f"{_fixed(ns / 10**9, 3)} s",
    "bytes": _bytes,
    "clock": _clock,
    "number": _number,
    "tick": _tick,
    "span": _span,
    "seconds": _seconds,
    "share": lambda ratio: f"{_fixed(ratio * 100, 0)}%",
    "percent": lambda ratio: f"{_figures(100 * ratio, 2, False)}%",
    "times": lambda ratio: f"{_fixed(ratio, 0 if ratio >= 10 else 1)}",
    "table": _table,
    "list": _list,
}
"""Every form of `scenes.measures.forms`, by its name."""
