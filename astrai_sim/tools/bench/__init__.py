"""Costs of paging, prefix reuse and recording, as ratios measured side by side."""

from collections.abc import Callable, Iterator

import torch

from astrai_sim.tools.bench import paging, recording
from astrai_sim.tools.bench.measure import Comparison

SUBJECTS: dict[str, Callable[[torch.device, int], Iterator[Comparison]]] = {
    "attention over pages": paging.attention,
    "alloc and free of one page": paging.pool,
    "time to first token": paging.prefix,
    "a recorded run": recording.recording,
}
"""What is compared; each takes the device and the number of rounds."""
