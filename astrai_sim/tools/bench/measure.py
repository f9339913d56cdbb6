"""Timing things side by side, so that a busy or slow machine distorts both alike."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles

import torch

Timed = Callable[[], float]
"""Does something and tells how many seconds the part that counts took."""


@dataclass(frozen=True)
class Comparison:
    """How much longer `what` takes than `base`.

    `ratios` holds one ratio per round, taken from neighbouring measurements; `seconds` and `base_seconds` are medians.
    """

    case: str
    what: str
    base: str
    seconds: float
    base_seconds: float
    ratios: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios."""
        return median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """First and third quartile of the rounds' ratios."""
        low, _, high = quantiles(self.ratios, n=4, method="inclusive")
        return low, high


def timed(function: Callable[[], object], device: torch.device) -> Timed:
    """`function`, timed until it is done.

    On the CPU by processor time, which leaves out what other programs took meanwhile;
    on a GPU by the clock on the wall, until the device is idle.
    """
    cpu = device.type == "cpu"
    clock = time.process_time if cpu else time.perf_counter

    def run() -> float:
        if not cpu:
            torch.cuda.synchronize(device)
        began = clock()
        function()
        if not cpu:
            torch.cuda.synchronize(device)
        return clock() - began

    return run


def compare(case: str, runs: dict[str, Timed], rounds: int) -> list[Comparison]:
    """Each of `runs` against the first, over `rounds` rounds through all of them.

    Every other round goes backwards, so that none always runs first. A round ahead
    of them warms up and is not counted. Raises ValueError below two rounds or runs.
    """
    if rounds < 2 or len(runs) < 2:
        raise ValueError("a comparison takes two rounds and two runs at least")
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for name in names:
        runs[name]()
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            seconds[name].append(runs[name]())
    found, base = [], names[0]
    for name in names[1:]:
        ratios = tuple(a / b for a, b in zip(seconds[name], seconds[base], strict=True))
        found.append(Comparison(case, name, base, median(seconds[name]), median(seconds[base]), ratios))
    return found


def compare_both(
    case: str, runs: dict[str, Callable[[], object]], rounds: int, device: torch.device
) -> list[Comparison]:
    """As `compare`, of functions that are timed as by `timed`, and on the CPU by the clock on the wall, too."""
    if device.type != "cpu":
        return compare(case, {name: timed(run, device) for name, run in runs.items()}, rounds)
    walls: dict[str, list[float]] = {name: [] for name in runs}

    def watched(name: str) -> Timed:
        run = timed(runs[name], device)

        def both() -> float:
            began = time.perf_counter()
            seconds = run()
            walls[name].append(time.perf_counter() - began)
            return seconds

        return both

    found = compare(f"{case}, CPU", {name: watched(name) for name in runs}, rounds)
    again = {name: iter(seconds) for name, seconds in walls.items()}
    return found + compare(f"{case}, wall", {name: partial(next, again[name]) for name in runs}, rounds)
