"""How values are written."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

LISTED = 8
"""Entries of a page table up to which it is written whole."""
FINEST = 6
"""Decimals of a millisecond with which whole nanoseconds are written in full."""


def figures(value: float, n: int = 3) -> str:
    """A value to `n` figures, or whole where it has more; never with an exponent."""
    return format(Decimal(f"{value:.{n}g}"), "f") if abs(value) < 10**n - 0.5 else f"{value:.0f}"


def time_text(ns: float) -> str:
    """Nanoseconds as milliseconds, from 1000 on as seconds: three figures, zeros kept."""
    ms = ns / 1e6
    value, unit = (ms, "ms") if ms < 1000 else (ms / 1000, "s")
    return f"{value:#.3g}".rstrip(".") + f" {unit}" if value < 999.5 else f"{value:.0f} {unit}"


def ms_text(ns: float, places: int) -> str:
    """Nanoseconds as milliseconds, to so many decimals."""
    return f"{ns / 1e6:.{places}f} ms"


def bytes_text(n: int) -> str:
    """Bytes in the largest binary unit that leaves at least 1, to three figures or in full."""
    value, unit = float(n), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value >= 1024:
            value, unit = value / 1024, larger
    return f"{figures(value)} {unit}"


def table_text(pages: Sequence[int]) -> str:
    """A page table as the engine has it, the middle of a long one left out."""
    if len(pages) <= LISTED:
        return str(list(pages))
    return f"[{', '.join(map(str, pages[: LISTED - 1]))}, …, {pages[-1]}]"


def list_text(items: Sequence[object]) -> str:
    """`1`, `1 and 2`, `1, 2 and 3`."""
    texts = [str(item) for item in items]
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


def clock_text(ns: int) -> str:
    """Nanoseconds as seconds, to a tenth."""
    return f"{ns / 1e9:,.1f} s"


def number_text(value: float) -> str:
    """A value as charts write it: whole numbers in full, others to three figures."""
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 999.5 else figures(value)


def tick_text(value: float) -> str:
    """A tick as written, without trailing zeros."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return f"{int(value):,}" if float(value).is_integer() else text or "0"


def seconds_text(seconds: float) -> str:
    """Seconds in the largest unit that leaves at least 1, to three figures."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{figures(seconds / size)} {unit}"
    return f"{figures(seconds / 1e-9)} ns"


def span_text(ns: float) -> str:
    """Nanoseconds of a run as seconds: whole ones from 10 on, with one decimal below."""
    return f"{ns / 1e9:,.0f} s" if ns >= 10e9 else f"{ns / 1e9:.1f} s"


FORMS: dict[str, Callable[[Any], str]] = {
    "count": lambda n: f"{n:,}",
    "plain": str,
    "name": str,
    "time": time_text,
    **{f"ms.{places}": partial(ms_text, places=places) for places in range(FINEST + 1)},
    "exact": lambda ns: f"{ns / 1e9:.3f} s",
    "clock": clock_text,
    "number": number_text,
    "tick": tick_text,
    "span": span_text,
    "seconds": seconds_text,
    "share": lambda ratio: f"{ratio:.0%}",
    "percent": lambda ratio: f"{figures(100 * ratio, 2)}%",
    "times": lambda ratio: f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}",
    "bytes": bytes_text,
    "table": table_text,
    "list": list_text,
}
"""How values are written; `scenes.truth.writing` writes the same forms by code of its own."""
