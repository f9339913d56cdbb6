"""Writing a trace line by line."""

import errno
import fcntl
import gzip
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

CHUNK = 1 << 16
"""Bytes of lines that are gathered before they are packed."""
LEVEL = 5
"""Of gzip: takes two thirds of the time that the usual 6 does, for 2 to 3 % more bytes."""
PLAIN: tuple[type[Any], ...] = (str, int, float, list, tuple, dict)


class TraceWriter:
    """Appends the header, events and footer to a file that gets the name `path` when it is whole.

    Until then, and after a recording that is cut short, it is `partial` beside it, which ends at an
    event and opens as incomplete; what was at `path` stays. It is locked, so that two recordings
    cannot write the same file. gzip where `path` ends in .gz; the same events, flushed at the same ones, give the same
    bytes: the gzip header carries no name and no time. Raises OSError, also where another writes to it.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path
        self.partial = path.with_name(f"{path.name}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._raw = _locked(self.partial)
        self._file: BinaryIO | gzip.GzipFile = self._raw
        if path.suffix == ".gz":
            self._file = gzip.GzipFile("", "wb", LEVEL, self._raw, mtime=0)
        self._digest = hashlib.sha256()
        self._lines: list[bytes] = []
        self._gathered = 0
        self.events = 0
        self._line(encoded({"type": "header", **header}))
        self.flush()

    def _line(self, line: bytes) -> None:
        self._lines += (line, b"\n")
        self._gathered += len(line)
        if self._gathered > CHUNK:
            self._pack()

    def _pack(self) -> None:
        """Hand what was gathered to the file."""
        lines, self._lines, self._gathered = b"".join(self._lines), [], 0
        self._digest.update(lines)
        self._file.write(lines)

    def event(self, data: dict[str, Any]) -> None:
        """Append one event, which says more than its `seq`: that is set here, whatever it says."""
        data.pop("seq", None)
        self._line(b'{"seq":%d,%b' % (self.events, encoded(data)[1:]))
        self.events += 1

    def flush(self) -> None:
        """Make everything written so far readable from the file."""
        self._pack()
        self._file.flush()
        self._raw.flush()

    def finish(self, stopped: str) -> str:
        """Append the footer and give the file its name. Returns the SHA-256 of all before it."""
        self._pack()
        digest = self._digest.hexdigest()
        self._line(encoded({"type": "footer", "events": self.events, "sha256": digest, "stopped": stopped}))
        self._pack()
        if self._file is not self._raw:
            self._file.close()
        self._raw.flush()
        self.partial.replace(self.path)
        self._raw.close()
        return digest

    def abandon(self) -> None:
        """Close the file without an end: it stays readable up to the last event that the disk took."""
        with suppress(OSError):
            self.flush()
        with suppress(OSError):
            self._raw.close()

    def discard(self) -> None:
        """Take the file away: there is nothing in it that anyone wants."""
        self.partial.unlink()
        self.abandon()


def _plain(value: Any) -> Any:
    """A value of a type that is made of one that JSON has, as that one. Raises TypeError for others."""
    for kind in PLAIN:
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def encoded(data: dict[str, Any]) -> bytes:
    """A line as JSON in UTF-8, without its end. Raises TypeError for what JSON has no form of."""
    try:
        return _ENCODER.encode(data)
    except OverflowError:  # a number of more than 64 bits, such as a mask among the values of an executed line
        return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def _locked(path: Path) -> BinaryIO:
    """`path`, opened empty, for this process alone. Raises OSError where it is another's."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
            raise BlockingIOError
    except BlockingIOError:
        file.close()
        raise OSError(errno.EBUSY, "another recording is being written there", str(path)) from None
    file.truncate(0)
    return file
