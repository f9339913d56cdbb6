"""Processes that begin as copies of this one, with all that it imported and read."""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def can_copy() -> bool:
    """Whether that is safe: on Linux, as long as this process has no other thread, whose locks a copy could find
    taken."""
    return sys.platform == "linux" and threading.active_count() == 1


@contextmanager
def none_of_it_thrown_away() -> Iterator[None]:
    """Processes that are started here as copies leave alone what was garbage: decoders in it may want to end threads
    that a copy does not have."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
