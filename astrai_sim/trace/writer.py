"""Writing a trace line by line."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any, BinaryIO


class TraceWriter:
    """Appends the header, events and footer to `path` (gzip where it ends in .gz).

    `flush` makes everything so far readable, so that a recording that is cut short leaves a file which ends at an
    event, not a broken one. The same events give the same bytes: the gzip header carries no name and no time.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._raw: BinaryIO = path.open("wb")
        self._file: BinaryIO | gzip.GzipFile = self._raw
        if path.suffix == ".gz":
            self._file = gzip.GzipFile("", "wb", 6, self._raw, mtime=0)
        self._digest = hashlib.sha256()
        self._encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
        self.events = 0
        self._line({"type": "header", **header})
        self.flush()

    def _line(self, data: dict[str, Any]) -> None:
        line = self._encode(data).encode() + b"\n"
        self._digest.update(line)
        self._file.write(line)

    def event(self, data: dict[str, Any]) -> None:
        """Append one event; its `seq` is set here."""
        self._line({"seq": self.events, **data})
        self.events += 1

    def flush(self) -> None:
        """Make everything written so far readable from the file."""
        self._file.flush()
        self._raw.flush()

    def finish(self, stopped: str) -> str:
        """Append the footer and close. Returns the SHA-256 of all before it."""
        digest = self._digest.hexdigest()
        self._line({"type": "footer", "events": self.events, "sha256": digest, "stopped": stopped})
        self.close()
        return digest

    def abandon(self) -> None:
        """Close the file without an end: it stays readable up to the last event."""
        self.flush()
        self._raw.close()

    def close(self) -> None:
        """Close the file as it is."""
        if self._file is not self._raw:
            self._file.close()
        self._raw.close()
