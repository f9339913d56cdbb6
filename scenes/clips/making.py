"""From a film to a folder of clips: sections rendered once, each clip written, read back and listed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import av
from av.error import FFmpegError
from PIL import Image

from astrai_sim.files import whole
from scenes.clips.examine import examine
from scenes.clips.formats import ALPHA, FORMATS, VIDEO, Stretch, cheap, loops, write
from scenes.clips.manifest import Caption, Entry, Manifest, Told, write_manifest
from scenes.farm.crew import HERE, Crew
from scenes.farm.run import Progress
from scenes.farm.task import Files, Input
from scenes.film.audio import Sound
from scenes.film.batch import Batch
from scenes.film.cut import Clip, NoClip, cut
from scenes.film.kept import priced
from scenes.film.opening import other_trace
from scenes.film.quality import Quality
from scenes.film.rehearsal import Rehearsal, rehearse
from scenes.film.render import MEDIA, describe
from scenes.film.scene import FilmScene
from scenes.film.subtitles import write_subtitles
from scenes.lint.rules.pictures import contrast
from scenes.theme import Theme, rgb

TEXT_CONTRAST, HUE_CONTRAST = 4.5, 3.0
"""Least contrast (WCAG 2.1) of text and of a request's hue with the ground."""


@dataclass(frozen=True)
class Wanted:
    """What to cut and how: `formats` of `FORMATS`, `only` some sections (see `cut`), every beat, sound below videos."""

    formats: tuple[str, ...] = ("mp4",)
    only: tuple[str, ...] = ()
    beats: bool = False
    audio: Path | None = None


def against(color: str, ground: str) -> float:
    """The contrast (WCAG 2.1) of two colours, `#RRGGBB` each."""
    first, second = ([round(255 * part) for part in rgb(one)] for one in (color, ground))
    return contrast((first[0], first[1], first[2]), (second[0], second[1], second[2]))


def on_ground(theme: Theme, ground: str) -> Theme:
    """`theme` on another ground, `#RRGGBB`. Raises NoClip where its text or its hues could not be seen on that."""

    for what, colors, least in (
        ("text", (theme.text, theme.muted), TEXT_CONTRAST),
        ("the hues of requests", theme.hues, HUE_CONTRAST),
    ):
        found = min(against(color, ground) for color in colors)
        if found < least:
            other = "light" if theme.name == "dark" else "dark"
            raise NoClip(
                f"on {ground} the contrast of {what} is {math.floor(found * 10) / 10}, at least {least} is needed: "
                f"choose another background, or --theme {other}"
            )
    return replace(theme, name=f"{theme.name}-{ground.removeprefix('#').lower()}", ground=ground)


Written = Callable[[Entry, bool], None]


def make_clips(
    film: type[FilmScene],
    folder: Path,
    wanted: Wanted,
    quality: Quality,
    trace: Path | None = None,
    seconds: float | None = None,
    media: Path = MEDIA,
    crew: Crew = HERE,
    progress: Progress = lambda done, total: None,
    written: Written = lambda entry, kept: None,
) -> Manifest:
    """Cut `film` into clips in `folder`, with a manifest.json; sections come from the cache or are rendered into it.

    A file that is there and was made of the same frames is kept, so that an interrupted run goes on where it was.
    `written` is told of each, and whether it was kept. Raises NoClip for a section that there is not and formats that
    have no alpha, NoSound for sound that is none, BadClip where a file reads back otherwise, and what `render_film`
    raises.
    """
    with Batch(media, crew, progress) as batch:
        cutting = Cutting(batch, film, folder, wanted, quality, trace, seconds)
    return cutting.write(written)


class Cutting:
    """Clips of a film that are to be made in `folder`: its sections are rendered in `batch`, then `write` makes them.

    Raises as `make_clips`.
    """

    def __init__(
        self,
        batch: Batch,
        film: type[FilmScene],
        folder: Path,
        wanted: Wanted,
        quality: Quality,
        trace: Path | None = None,
        seconds: float | None = None,
    ) -> None:
        if unknown := [name for name in wanted.formats if name not in FORMATS]:
            raise NoClip(f"no format is called {unknown[0]!r}: choose from {', '.join(FORMATS)}")
        if opaque := [name for name in wanted.formats if quality.clear and name not in ALPHA]:
            raise NoClip(f"{opaque[0]} has no transparency: choose from {', '.join(ALPHA)}")
        self.folder, self.wanted, self.quality = folder, wanted, quality
        self._sound = Sound.of(wanted.audio) if wanted.audio else None
        self._rehearsal = rehearse(film, trace, seconds=seconds, quality=quality)
        self._clips = cut(self._rehearsal, quality.fps, wanted.beats, wanted.only)
        folder.mkdir(parents=True, exist_ok=True)
        self._maker = _Maker(folder, quality, self._rehearsal.scene, self._sound)
        keys = {clip.section for clip in self._clips}
        self._sections = batch.add(self._rehearsal, quality, keys, partial(self._rendered, batch)).clips

    def _stretch(self, clip: Clip, source: Path) -> Stretch:
        return Stretch(source, *clip.frames, self.quality.fps, self.quality.clear)

    def _rendered(self, batch: Batch, key: str, section: Path) -> None:
        """Have what takes long written as soon as the clip of a section is there."""
        inputs: tuple[Input, ...] = ()
        for clip in (one for one in self._clips if one.section == key):
            for name in self.wanted.formats:
                stretch = self._stretch(clip, section)
                if cheap(name, stretch) or self._maker.has(name, clip, stretch):
                    continue
                inputs = inputs or (Input.of(section),)
                path = self.folder / f"{clip.name}.{name}"
                made = path.with_name(f".{clip.name}.made.{name}")
                writing = partial(write_of, name, stretch, inputs[0].sha256, self._maker.tags(name, clip, stretch))
                price = f"{name} {priced(self.quality)}", f"{type(self._rehearsal.scene).__name__}/{clip.name}"
                ready = partial(self._maker.ready, name, path, made)
                batch.done(writing, inputs, made, stretch.seconds, price, ready)

    def write(self, written: Written = lambda entry, kept: None) -> Manifest:
        """Write the clips, whose sections are there now, where that was not done yet, and the manifest."""
        scene, quality = self._rehearsal.scene, self.quality
        entries = []
        for clip in self._clips:
            stretch = self._stretch(clip, self._sections[clip.section])
            for entry, kept in self._maker.make(clip, stretch, self.wanted.formats):
                entries.append(entry)
                written(entry, kept)
        manifest = Manifest(
            film=type(scene).__name__,
            trace=_told(self._rehearsal),
            frame=quality.frame.name,
            theme=quality.theme.name,
            clips=tuple(entries),
        )
        write_manifest(manifest, self.folder)
        return manifest


class _Maker:
    """Writes the files of clips of the film that was played in `scene` to a folder, `sound` below videos."""

    def __init__(self, folder: Path, quality: Quality, scene: FilmScene, sound: Sound | None) -> None:
        self.folder = folder
        self.quality = quality
        self.trace = scene.trace
        self.facts = describe(type(scene).__name__, type(scene).__doc__ or "", scene.trace)["comment"]
        self.sound = sound
        self._less: dict[Path, str] = {}

    def make(self, clip: Clip, stretch: Stretch, formats: tuple[str, ...]) -> "list[tuple[Entry, bool]]":
        """Write `clip` in all `formats`; gives what the manifest says of each, and whether it was there already."""
        found, looped = [], loops(stretch)
        said = ()
        if clip.lines and any(name in VIDEO for name in formats):
            said = tuple(path.name for path in write_subtitles(clip.lines, self.folder / f"{clip.name}.mp4"))
        for name in formats:
            path = self.folder / f"{clip.name}.{name}"
            less, kept = self._file(name, clip, stretch, path)
            width, height = examine(name, stretch, path)
            entry = Entry(
                file=path.name,
                format=name,
                section=clip.section,
                beat=clip.beat,
                title=clip.title,
                start=round(clip.start, 3),
                duration=0.0 if name == "png" else round(stretch.seconds, 3),
                width=width,
                height=height,
                fps=self.quality.fps,
                transparent=stretch.clear,
                loops=looped,
                trace=(other_trace(clip.source) if clip.source else self.trace).computed_sha256,
                events=clip.events if clip.events[0] <= clip.events[1] else None,
                captions=tuple(Caption(round(o.start, 3), round(o.end, 3), o.text) for o in clip.lines),
                alt=clip.alt,
                subtitles=said if name in VIDEO else (),
                less=less,
            )
            found.append((entry, kept))
        return found

    def tags(self, name: str, clip: Clip, stretch: Stretch) -> dict[str, str]:
        """What a file of a clip says of itself, and of what it was made."""
        sound = self.sound if name in VIDEO else None
        made_of = f"{stretch.source.stem} {stretch.first} {stretch.count}" + (f" {sound.facts}" if sound else "")
        return {"title": clip.title, "description": clip.alt, "comment": f"{self.facts}\nclip={made_of}"}

    def has(self, name: str, clip: Clip, stretch: Stretch) -> bool:
        """Whether the file of a clip is there, made of the same frames."""
        return _comment(self.folder / f"{clip.name}.{name}", name) == self.tags(name, clip, stretch)["comment"]

    def ready(self, name: str, path: Path, made: Path, less: str) -> None:
        """The file of a clip was written as `made`, with `less` than was asked: put the sound below it, and it is
        `path`."""
        try:
            self._heard(name, made)
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)
        self._less[path] = less

    def _heard(self, name: str, file: Path) -> None:
        """Put the sound below a video."""
        if self.sound and name in VIDEO:
            self.sound.below(file)

    def _file(self, name: str, clip: Clip, stretch: Stretch, path: Path) -> tuple[str, bool]:
        """Have one file: what was given up for its size, and whether it was there before all this."""
        if path in self._less:
            return self._less[path], False
        if self.has(name, clip, stretch):
            return "", True
        with whole(path) as written:
            less = write(name, stretch, written, self.tags(name, clip, stretch))
            self._heard(name, written)
        return less, False


def write_of(name: str, stretch: Stretch, source: str, tags: Mapping[str, str], files: Files, output: Path) -> str:
    """Write a stretch of the file that has the digest `source` (see `scenes.clips.formats.write`)."""
    return write(name, replace(stretch, source=files[source]), output, tags)


def _comment(path: Path, name: str) -> str:
    """What a file of a clip says that it was made of; '' where it says nothing, or is none."""
    try:
        if name == "png":
            with Image.open(path) as image:
                return str(image.info.get("Comment", ""))
        with av.open(str(path)) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
        return tags.get("comment", "")
    except (OSError, FFmpegError):
        return ""


def _told(rehearsal: Rehearsal) -> Told:
    trace = rehearsal.scene.trace
    header = trace.header
    return Told(
        file=rehearsal.scene.trace_path.name,
        sha256=trace.computed_sha256,
        verified=not trace.unverified,
        scenario=header.scenario_name,
        device=f"{header.device.name} ({header.device.type})",
    )
