"""Frames that come out of a graph of filters."""

from collections.abc import Iterator
from typing import Any

import av.filter
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as AllPulled


def pulled(graph: av.filter.Graph) -> Iterator[Any]:
    """The frames that are ready, until the graph wants more or has no more."""
    while True:
        try:
            yield graph.pull()
        except (AllPulled, NothingYet):
            return
