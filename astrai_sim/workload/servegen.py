"""ServeGen's clients: files that say how each of them asks, and how long what it asks is."""

import hashlib
import math
import re
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import msgspec
import numpy as np

from astrai_sim.workload.request import LATEST_S, MOST_TOKENS, LineError, WorkloadError, lines

TRACE = re.compile(r"chunk-(0|[1-9]\d{0,8})-trace\.csv", re.ASCII)
PATTERNS = ("Gamma", "Weibull")
FASTEST = 1e6
"""Requests a second, at most."""
LENGTHS = ("input_tokens", "output_tokens")
SECOND = re.compile(r"\d{1,12}", re.ASCII)
_decode = msgspec.json.Decoder(dict[str, dict[str, str]]).decode


@dataclass(frozen=True, slots=True)
class Window:
    """`rate` requests a second from second `begin` to before `end`, with gaps of a distribution of that `shape`;
    `line` of the client's trace says so."""

    begin: float
    end: float
    rate: float
    pattern: str
    shape: float
    line: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.begin


@dataclass(frozen=True, eq=False)
class Shares:
    """A histogram: `lengths` in tokens, ascending, int64 [n], and the share of those up to each, float64 [n]."""

    lengths: np.ndarray
    up_to: np.ndarray


@dataclass(frozen=True)
class Client:
    """A client: its number, the windows in which it asks, and the file with its histograms of lengths."""

    number: int
    windows: tuple[Window, ...]
    trace: Path
    dataset: Path


def clients(folder: Path, most_bytes: int) -> tuple[str, list[Client]]:
    """The clients of a folder by their numbers, and the SHA-256 of a list of their files as sha256sum writes it.

    The form is that of the data in github.com/alibaba/ServeGen (Xiang et al., "ServeGen", 2025): chunk-N-trace.csv has
    a window a line, `begin,rate,cv,pattern,shape,scale`, which lasts until the next begins (the last as long as the
    one before it), with an empty pattern where the client does not ask; chunk-N-dataset.json maps the second from
    which on it holds to `input_tokens` and `output_tokens`, each the text of `{length: share, ...}`. Other fields are
    passed over. Raises WorkloadError, OSError.
    """
    numbers = sorted(int(found[1]) for path in folder.iterdir() if (found := TRACE.fullmatch(path.name)))
    if not numbers:
        raise WorkloadError(folder, None, "no chunk-N-trace.csv in here: give a folder of ServeGen's clients")
    pairs = [(folder / f"chunk-{number}-trace.csv", folder / f"chunk-{number}-dataset.json") for number in numbers]
    files = sorted(path for pair in pairs for path in pair)
    for path in files:
        if not path.is_file():
            raise WorkloadError(path, None, "there is no such file, and each client needs a trace and a dataset")
    if sum(path.stat().st_size for path in files) > most_bytes:
        raise WorkloadError(folder, None, f"larger than {most_bytes >> 20} MiB: leave clients out")
    found = [Client(number, _windows(pair[0]), *pair) for number, pair in zip(numbers, pairs, strict=True)]
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    return hashlib.sha256(sums.encode()).hexdigest(), found


def _windows(path: Path) -> tuple[Window, ...]:
    """The windows in which a client asks."""
    rows: list[tuple[int, float, float, str, float]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, text in enumerate(lines(file), 1):
                if text.strip():
                    rows.append((line, *_window(line, text)))
        for (_, before, *_), (line, begin, *_) in zip(rows, rows[1:], strict=False):
            if begin <= before:
                raise LineError(line, f"the window begins at {begin:.15g}, not after the one before")
        if len(rows) < 2:
            raise LineError(1, "a window lasts until the next begins, but there is one at most", "add a line")
    except UnicodeDecodeError as error:
        raise WorkloadError(path, None, f"not text: {error.reason}: write it as UTF-8") from None
    except LineError as error:
        raise WorkloadError(path, error.line, f"{error}: {error.advice}") from None
    begins = [begin for _, begin, *_ in rows]
    ends = [*begins[1:], 2 * begins[-1] - begins[-2]]
    return tuple(
        Window(begin, end, rate, pattern, shape, line)
        for (line, begin, rate, pattern, shape), end in zip(rows, ends, strict=True)
        if pattern and rate
    )


def _window(line: int, text: str) -> tuple[float, float, str, float]:
    """Begin, rate, pattern and shape that a line says. Raises LineError."""
    cells = [cell.strip() for cell in text.split(",")]
    if len(cells) != 6:
        raise LineError(line, f"{len(cells)} fields where begin, rate, cv, pattern, shape and scale are 6")
    begin, rate, cv = _number(line, "begin", cells[0]), _number(line, "rate", cells[1]), _number(line, "cv", cells[2])
    shape, scale = _number(line, "shape", cells[4]), _number(line, "scale", cells[5])
    pattern = cells[3]
    if pattern and pattern not in PATTERNS:
        raise LineError(line, f"pattern must be {', '.join(PATTERNS)} or nothing, not {reprlib.repr(pattern)}")
    for what, value, most in (("begin", begin, LATEST_S), ("rate", rate, FASTEST), ("cv", cv, math.inf)):
        if not 0 <= value <= most:
            raise LineError(line, f"{what} must be from 0 to {most:g}, not {value:g}")
    if pattern and not (shape > 0 and scale > 0):
        raise LineError(line, f"shape and scale must be above 0, not {shape:g} and {scale:g}")
    return begin, rate, pattern, shape


def _number(line: int, what: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise LineError(line, f"{what} must be a number, not {reprlib.repr(text)}")
    return value


def histograms(path: Path) -> dict[float, dict[str, str]]:
    """The histograms that have lengths, as text, by the second from which on they hold. Raises WorkloadError."""

    def fail(message: str, advice: str = "get the file again") -> NoReturn:
        raise WorkloadError(path, None, f"{message}: {advice}") from None

    try:
        read = _decode(path.read_bytes())
    except RecursionError:
        fail("JSON nested too deeply")
    except msgspec.ValidationError as error:
        fail(f"no histograms: {error}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fail(f"not JSON: {error}")
    found = {}
    for second, fields in read.items():
        if not SECOND.fullmatch(second):
            fail(f"{reprlib.repr(second)} is no second from which on histograms hold")
        for name in LENGTHS:
            if name not in fields:
                fail(f"second {second} has no {name}", "clients with images or sound are not read: take them out")
        if all(text.strip("{} \t\r\n") for text in fields.values()):
            found[float(second)] = fields
    return found


def shares(path: Path, second: float, fields: dict[str, str], name: str) -> Shares:
    """What the text of one of `LENGTHS` says. Raises WorkloadError."""

    def fail(message: str) -> NoReturn:
        raise WorkloadError(path, None, f"second {second:.15g}, {name}: {message}: get the file again") from None

    text = fields[name].strip()
    if not (text.startswith("{") and text.endswith("}")):
        fail(f"must be {{length: share, ...}}, not {reprlib.repr(text)}")
    try:
        pairs = [(int(length), float(share)) for length, share in (part.split(":") for part in text[1:-1].split(","))]
    except ValueError:
        fail("must be {length: share, ...}, whole numbers and their shares")
    pairs.sort()
    if not all(0 <= length <= MOST_TOKENS for length, _ in pairs):
        fail(f"lengths must be from 0 to {MOST_TOKENS:,}")
    parts = np.array([share for _, share in pairs])
    if not (parts >= 0).all() or not abs(parts.sum() - 1) < 1e-3:
        fail("shares must be from 0 on, and 1 in all")
    up_to = np.cumsum(parts)
    return Shares(np.array([length for length, _ in pairs], np.int64), up_to / up_to[-1])
