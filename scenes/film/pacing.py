"""A film of the length asked for: rehearse, leave out what does not fit, stretch the rest until it is met."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

from scenes.story.beats import Storyboard
from scenes.story.pacing import Layer, keep, layers, stretch, weight

TOLERANCE = 0.10
CLOSE = 0.02
LEAST, MOST = 0.35, 24.0
TRIES = 5

Measure = Callable[[Storyboard], tuple[float, Sequence[float]]]
"""Plays a storyboard; gives its length and the seconds of each of its beats, in order."""


class CannotPace(Exception):
    """The length asked for cannot be met; the message names the nearest that can."""


def pace(whole: Storyboard, seconds: float, measure: Measure) -> Storyboard:
    """What is left of the storyboard `whole` when its film is to be `seconds` long, to within a tenth.

    Layers of beats are kept, the most needed first, while they fit; then all
    elastic seconds are stretched or squeezed alike until the length that `measure` gives
    is met. Captions keep the time that reading them takes. Raises CannotPace where even the
    beats that are never left out take longer, or the film cannot be stretched so far.
    """
    length, spent = measure(whole)
    if abs(length / seconds - 1) <= CLOSE:
        return whole
    kept = _fitting(whole, spent, seconds)
    while True:
        storyboard, length = _stretched(keep(whole, kept), seconds, measure)
        if abs(length / seconds - 1) <= TOLERANCE:
            return storyboard
        if length < seconds or kept[-1].weight == 0:
            way, nearest = ("most", math.floor(length)) if length < seconds else ("least", math.ceil(length))
            raise CannotPace(f"{whole.film} takes at {way} {nearest} s for this trace: ask for --seconds {nearest}")
        kept = kept[:-1]


def _fitting(whole: Storyboard, spent: Sequence[float], seconds: float) -> list[Layer]:
    """The layers to keep: all of weight 0, then more while they fit into `seconds`, weight by weight."""
    cost: defaultdict[Layer, float] = defaultdict(float)
    beats = [(index, section, beat) for index, section in enumerate(whole.sections) for beat in section.beats]
    for (index, section, beat), took in zip(beats, spent, strict=True):
        cost[Layer(weight(section, beat), index)] += took
    kept: list[Layer] = []
    full = math.inf
    for layer in layers(whole):
        if layer.weight > full:
            break
        if layer.weight == 0 or sum(cost[one] for one in kept) + cost[layer] <= seconds:
            kept.append(layer)
        else:
            full = layer.weight
    return kept


def _stretched(board: Storyboard, seconds: float, measure: Measure) -> tuple[Storyboard, float]:
    """`board` stretched as near to `seconds` as it gets, and its length."""
    known: dict[float, float] = {}
    factor = 1.0
    while factor not in known and len(known) < TRIES:
        known[factor], _ = measure(stretch(board, factor))
        if abs(known[factor] / seconds - 1) <= CLOSE:
            break
        short = max((f for f, length in known.items() if length <= seconds), default=None)
        long = min((f for f, length in known.items() if length > seconds), default=None)
        if short is None or long is None:
            factor = min(MOST, max(LEAST, factor * (seconds / known[factor]) ** 2))
        else:
            factor = short + (long - short) * (seconds - known[short]) / (known[long] - known[short])
        factor = round(factor, 4)
    nearest = min(known, key=lambda one: abs(known[one] / seconds - 1))
    return stretch(board, nearest), known[nearest]
