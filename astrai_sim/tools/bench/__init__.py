"""Costs of paging, prefix reuse and recording, as ratios measured side by side."""

from collections.abc import Callable, Iterator

import torch

from astrai_sim.tools.bench.measure import Comparison
from astrai_sim.tools.bench.paging import attention, pool, prefix
from astrai_sim.tools.bench.recording import recording

SUBJECTS: dict[str, Callable[[torch.device, int], Iterator[Comparison]]] = {
    "attention over pages": attention,
    "alloc and free of one page": pool,
    "time to first token": prefix,
    "a recorded run": recording,
}
"""What is compared; each takes the device and the number of rounds."""
