"""A film of the length asked for: rehearse, leave out what does not fit, stretch the rest until it is met."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

from scenes.stage.pacing import Layer, keep, layers, stretch, weight
from scenes.stage.shot import Storyboard

TOLERANCE = 0.10
ACCEPTED = 0.07
"""How far off a length may be as it is measured: whole frames at any rate add or take up to 3 % more."""
CLOSE = 0.04
LEAST, MOST = 0.35, 24.0
TRIES = 5

Measure = Callable[[Storyboard], tuple[float, Sequence[float]]]
"""Plays a storyboard; gives its length and the seconds of each of its beats, in order."""


class CannotPace(Exception):
    """The length asked for cannot be met; the message names the nearest that can."""


def pace(whole: Storyboard, seconds: float, measure: Measure) -> Storyboard:
    """What is left of the storyboard `whole` when its film is to be `seconds` long, to within a tenth.

    Layers of beats are kept, the most needed first, while they fit; then all elastic seconds are stretched or squeezed
    alike until the length that `measure` gives is met. Captions keep the time that reading them takes. Raises
    CannotPace where even the beats that are never left out take longer, or the film cannot be stretched so far.
    """
    length, spent = measure(whole)
    if abs(length / seconds - 1) <= CLOSE:
        return whole
    storyboard, kept = whole, layers(whole)
    while True:
        kept = _fitting(kept, _costs(whole, storyboard, spent), seconds)
        storyboard, length, spent = _stretched(keep(whole, kept), seconds, measure)
        if abs(length / seconds - 1) <= ACCEPTED:
            return storyboard
        if length < seconds or kept[-1].weight == 0:
            way, nearest = ("most", math.floor(length)) if length < seconds else ("least", math.ceil(length))
            raise CannotPace(f"{whole.film} takes at {way} {nearest} s for this trace: ask for --seconds {nearest}")
        kept = kept[:-1]


def _costs(whole: Storyboard, played: Storyboard, spent: Sequence[float]) -> dict[Layer, float]:
    """The seconds that each layer of `whole` took in `played`, whose beats took `spent`."""
    indices = {section.key: index for index, section in enumerate(whole.sections)}
    beats = [(section, beat) for section in played.sections for beat in section.beats]
    cost: defaultdict[Layer, float] = defaultdict(float)
    for (section, beat), took in zip(beats, spent, strict=True):
        cost[Layer(weight(section, beat), indices[section.key])] += took
    return cost


def _fitting(offered: Sequence[Layer], cost: dict[Layer, float], seconds: float) -> list[Layer]:
    """The layers to keep: all of weight 0, then more while they fit into `seconds`, weight by weight."""
    kept: list[Layer] = []
    full = math.inf
    for layer in offered:
        if layer.weight > full:
            break
        if layer.weight == 0 or sum(cost[one] for one in kept) + cost[layer] <= seconds:
            kept.append(layer)
        else:
            full = layer.weight
    return kept


def _stretched(board: Storyboard, seconds: float, measure: Measure) -> tuple[Storyboard, float, Sequence[float]]:
    """`board` stretched as near to `seconds` as it gets, its length, and the seconds of its beats."""
    tried: dict[float, tuple[Storyboard, float, Sequence[float]]] = {}
    factor = 1.0
    while factor not in tried and len(tried) < TRIES:
        storyboard = stretch(board, factor)
        length, spent = measure(storyboard)
        tried[factor] = storyboard, length, spent
        if abs(length / seconds - 1) <= CLOSE:
            break
        short = max((f for f, one in tried.items() if one[1] <= seconds), default=None)
        long = min((f for f, one in tried.items() if one[1] > seconds), default=None)
        if short is None or long is None:
            factor = min(MOST, max(LEAST, factor * (seconds / length) ** 3))
        else:
            factor = short + (long - short) * (seconds - tried[short][1]) / (tried[long][1] - tried[short][1])
        factor = round(factor, 4)
    return min(tried.values(), key=lambda one: abs(one[1] / seconds - 1))
