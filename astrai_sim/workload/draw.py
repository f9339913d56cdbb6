"""Requests drawn from what ServeGen's clients say of themselves."""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from astrai_sim.workload.request import MOST_LINES, LoadRequest, WorkloadError
from astrai_sim.workload.servegen import LENGTHS, Client, Shares, Window, histograms, shares


def drawn(folder: Path, asking: list[Client], span: tuple[float, float] | None, seed: int) -> list[LoadRequest]:
    """Requests of the windows that `span` (seconds of the clients' time) touches, in order of arrival.

    As ServeGen draws them: in each window of a client as many as its rate says, with gaps of its distribution that are
    stretched to fill the window, and lengths of the histograms that hold then. Two things are done otherwise: n
    requests stand between n + 1 gaps, so that none falls on the window's end, and the length of an answer is drawn
    independently of its prompt's. Each window of each client has a seed of its own, so that no other changes it. The
    generator is NumPy's RandomState, whose numbers stay as they are; arrivals are rounded to microseconds, so that they
    are the same on every machine. Raises
    WorkloadError, OSError.
    """
    low, high = span or (-math.inf, math.inf)
    chosen = [[one for one in client.windows if one.begin < high and low < one.end] for client in asking]
    expected = sum(one.rate * one.seconds for windows in chosen for one in windows)
    if expected > MOST_LINES:
        told = f"some {expected:,.0f} requests in the window, at most {MOST_LINES:,} are drawn"
        raise WorkloadError(folder, None, f"{told}: set a shorter window in [workload], or leave clients out")
    rows: list[LoadRequest] = []
    for client, windows in zip(asking, chosen, strict=True):
        if windows:
            rows.extend(_of_client(client, windows, seed))
    rows.sort(key=lambda request: request.arrival_s)
    return rows


def _of_client(client: Client, windows: list[Window], seed: int) -> Iterator[LoadRequest]:
    """The requests of one client, window by window."""
    texts = histograms(client.dataset)
    known: tuple[float, list[Shares]] | None = None
    for window in windows:
        since = max((second for second in texts if second <= window.begin), default=None)
        if since is None:
            told = f"{client.dataset.name} has no lengths for the window that begins at {window.begin:.15g}"
            raise WorkloadError(client.trace, window.line, f"{told}: add them, or take the line out")
        if known is None or known[0] != since:
            known = since, [shares(client.dataset, since, texts[since], name) for name in LENGTHS]
        digest = hashlib.sha256(f"{seed}/servegen/{client.number}/{window.begin!r}".encode()).digest()
        source = np.random.RandomState(np.frombuffer(digest, "<u4"))
        times = _arrivals(window, source, client.trace)
        prompts, answers = (_lengths(source, each, len(times)) for each in known[1])
        yield from map(LoadRequest, times.tolist(), prompts.tolist(), answers.tolist())


def _arrivals(window: Window, source: np.random.RandomState, path: Path) -> np.ndarray:
    """Seconds at which the requests of a window arrive, ascending, float64 [n]."""
    n = int(window.rate * window.seconds + source.random_sample())
    gaps = (source.standard_gamma if window.pattern == "Gamma" else source.weibull)(window.shape, n + 1)
    whole = gaps.sum()
    if not 0 < whole < math.inf:
        told = f"gaps of a {window.pattern} distribution of shape {window.shape:g} have no length to fill a window with"
        raise WorkloadError(path, window.line, f"{told}: correct the line, or take it out")
    times = np.round(window.begin + np.cumsum(gaps)[:-1] * (window.seconds / whole), 6)
    return np.minimum(times, window.end - 1e-6)


def _lengths(source: np.random.RandomState, histogram: Shares, n: int) -> np.ndarray:
    """Tokens of `n` prompts or answers, int64 [n]."""
    return histogram.lengths[np.searchsorted(histogram.up_to, source.random_sample(n), side="right")]
