"""What is wrong with a trace, in one line."""

from __future__ import annotations

from pathlib import Path


class TraceError(Exception):
    """A trace that cannot be used, or that lies: file, line, what is wrong, and the level of
    `verify` at which that shows."""

    def __init__(self, path: Path | str, line: int | None, message: str) -> None:
        where = f"{path}:{line}" if line else str(path)
        super().__init__(f"{where}: {message}")
        self.path = path
        self.line = line
        self.message = message
        self.level = "format"
