"""One request of a workload, and what is wrong with a row that is none."""

from dataclasses import dataclass
from pathlib import Path


class WorkloadError(Exception):
    """A workload that cannot be used: file, line, what is wrong."""

    def __init__(self, path: Path, line: int | None, message: str) -> None:
        where = f"{path}:{line}" if line else str(path)
        super().__init__(f"{where}: {message}")


class LineError(ValueError):
    """What is wrong with a line, before it is known of which file."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """When a request arrived, in seconds, and how many tokens it had and got.

    `blocks` name what the prompt holds, `block_size` tokens each and the last the rest:
    prompts whose first blocks have equal ids begin with the same tokens.
    """

    arrival_s: float
    prompt_len: int
    output_len: int
    blocks: tuple[int, ...] = ()
    block_size: int = 0


def count(text: object, what: str) -> int:
    """A number of tokens. Raises ValueError naming `what` for anything else."""
    try:
        number = int(text) if isinstance(text, str) else text
    except ValueError:
        number = None
    if type(number) is not int or number < 0:
        raise ValueError(f"{what} must be a whole number from 0 on, not {text!r}")
    return number
