"""What is compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from astrai_sim.tools.bench.attention import attention
from astrai_sim.tools.bench.measure import Comparison
from astrai_sim.tools.bench.pool import pool
from astrai_sim.tools.bench.prefix import prefix
from astrai_sim.tools.bench.recording import recording

Subject = Callable[[torch.device, int], Iterator[Comparison]]
"""Takes the device and the number of rounds."""

SUBJECTS: dict[str, Subject] = {
    "attention over pages": attention,
    "alloc and free of one page": pool,
    "time to first token": prefix,
    "a recorded run": recording,
}
