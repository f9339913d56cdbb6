"""What was cut: a list of clips for whoever puts them somewhere, as JSON."""

import json
from inspect import cleandoc
from pathlib import Path

import msgspec

from astrai_sim.files import whole

SCHEMA, VERSION = "astrai-film.clips", 1
FILE = "manifest.json"


class Caption(msgspec.Struct, frozen=True):
    """A sentence below the picture, from `start` to `end`, in seconds of the clip."""

    start: float
    end: float
    text: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a clip. `start` and `duration` are seconds, of the film and of the clip; a poster has no duration.

    `events` are the first and the last event that it tells, where it tells any, of the trace with the SHA-256 `trace`;
    `loops` says that its last frame is as its first. `alt` says what it shows, `less` what was given up for its size.
    """

    file: str
    format: str
    section: str
    beat: int | None
    title: str
    start: float
    duration: float
    width: int
    height: int
    fps: int
    transparent: bool
    loops: bool
    trace: str
    events: tuple[int, int] | None
    captions: tuple[Caption, ...]
    alt: str
    subtitles: tuple[str, ...] = ()
    less: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The trace: its file's name, the SHA-256 that was computed of it, whether it was verified, where it ran."""

    file: str
    sha256: str
    verified: bool
    scenario: str
    device: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All clips that one command wrote to a folder, in the order of the film."""

    schema: str = SCHEMA
    version: int = VERSION
    film: str
    trace: Told
    frame: str
    theme: str
    clips: tuple[Entry, ...]


def write_manifest(manifest: Manifest, folder: Path) -> Path:
    """Write `manifest` to `folder`. Raises OSError where it cannot be written."""
    path = folder / FILE
    with whole(path) as partial:
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    return path


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`. Raises OSError where none is, msgspec.ValidationError where it is not one."""
    return msgspec.json.decode((folder / FILE).read_bytes(), type=Manifest)


def schema() -> str:
    """The JSON Schema of a manifest: the same text with every release of msgspec, of which some indent descriptions."""
    told = msgspec.json.schema(Manifest)
    for described in told["$defs"].values():
        described["description"] = cleandoc(described["description"])
    return json.dumps(told, indent=1) + "\n"
