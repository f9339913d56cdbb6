"""One request of a workload, and what is wrong with a row that is none."""

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from astrai_sim.files import FileError

MOST_TOKENS = 10_000_000
"""Of a prompt, and of an answer."""
LATEST_S = 253_402_300_800.0
"""The year 10000, in seconds: what is beyond is no time."""
LONGEST_LINE, MOST_LINES = 1 << 22, 5_000_000
UNITS = {"s": 1, "ms": 1e3, "us": 1e6}
"""Units of time, and how many of each a second has."""
CORRECT = "correct the line, or take it out"


class WorkloadError(FileError):
    """A workload that cannot be used: file, line, what is wrong."""


class LineError(ValueError):
    """What is wrong with a line, before it is known of which file, and what to do."""

    def __init__(self, line: int, message: str, advice: str = CORRECT) -> None:
        super().__init__(message)
        self.line, self.advice = line, advice


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """When a request arrived, in seconds, and how many tokens it had and got.

    `blocks` name what the prompt holds, `block_size` tokens each and the last the rest: prompts whose first blocks have
    equal ids begin with the same tokens.
    """

    arrival_s: float
    prompt_len: int
    output_len: int
    blocks: tuple[int, ...] = ()
    block_size: int = 0


def lines(file: TextIO) -> Iterator[str]:
    """The lines of a file. Raises LineError for one of more than `LONGEST_LINE` characters, and after `MOST_LINES`."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise LineError(number, f"a line of more than {LONGEST_LINE >> 20} MiB")
        if number > MOST_LINES:
            raise LineError(number, f"more than {MOST_LINES:,} lines: split the file")
        yield line


def second(time: float, unit: str) -> float | None:
    """A time in `unit`, in seconds; None where that is no time."""
    arrival = time / UNITS[unit]
    return arrival if abs(arrival) < LATEST_S else None


def count(text: str, what: str) -> int:
    """A number of tokens. Raises ValueError naming `what` for anything else."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= MOST_TOKENS:
        raise ValueError(f"{what} must be a whole number from 0 to {MOST_TOKENS:,}, not {reprlib.repr(text)}")
    return number
