"""Who renders: processes of this machine, or a farm."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from scenes.farm.cluster import Cluster
from scenes.farm.local import Local
from scenes.farm.remote import Version
from scenes.farm.run import Place


@dataclass(frozen=True)
class Crew:
    """So many `processes` of this machine (default: one for each core), or the workers of the Dask `scheduler` at an
    address as `tcp://host:8786`."""

    processes: int | None = None
    scheduler: str | None = None

    def hired(self, asks: Callable[[], Version]) -> Place:
        """Where tasks can be given out; `asks` says which version workers elsewhere must have. Raises as Cluster."""
        return Cluster(self.scheduler, asks) if self.scheduler else Local(self.processes or os.cpu_count() or 1)


HERE = Crew()
