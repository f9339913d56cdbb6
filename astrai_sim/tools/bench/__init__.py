"""Costs of paging, moving K and V, prefix reuse and recording, as ratios measured side by side."""

from collections.abc import Callable, Iterator

import torch

from astrai_sim.tools.bench import moving, paging, recording, stepping
from astrai_sim.tools.bench.measure import Comparison

SUBJECTS: dict[str, Callable[[torch.device, int], Iterator[Comparison | str]]] = {
    "attention over pages": paging.attention,
    "attention in the pages": moving.in_place,
    "K and V of a layer": moving.moving,
    "alloc and free of one page": paging.pool,
    "growth within a page": paging.growth,
    "time to first token": paging.prefix,
    "a recorded run": recording.recording,
    "a decode step of 24 layers": stepping.decode_step,
    "the same, of another engine": stepping.attached,
    "what recording adds to a step": stepping.added,
}
"""What is compared; each takes the device and the number of rounds, and gives comparisons, and lines of text."""
