"""Sections of one film or of many, rendered in one run into the cache."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from astrai_sim.files import whole
from scenes.farm.costs import Costs
from scenes.farm.crew import HERE, Crew
from scenes.farm.run import Progress, Run, Sheet
from scenes.farm.task import Files, Input, Task
from scenes.film.join import is_whole
from scenes.film.kept import clip_path, priced, prune
from scenes.film.opening import other_trace, shipped_path
from scenes.film.quality import Quality
from scenes.film.rehearsal import Rehearsal
from scenes.film.scene import Played
from scenes.film.version import code_version
from scenes.film.worker import Job, Told, have_at_hand, render_section


@dataclass(frozen=True)
class Sections:
    """The clip of each section by its key, and the keys of those that were not there before."""

    clips: dict[str, Path]
    missing: tuple[str, ...]


class Batch:
    """Has sections of films rendered by `crew` into the cache below `media`; left without an exception, all are there.

    `progress` is called with the film seconds rendered and those to render. After it `sheet` says who did what.
    """

    def __init__(self, media: Path, crew: Crew = HERE, progress: Progress = lambda done, total: None) -> None:
        self.media, self.crew = media, crew
        self._progress = progress
        self._run: Run | None = None
        self._costs = Costs(media / "sections" / "costs.json")
        self._asked: set[Path] = set()
        self._awaited: set[Path] = set()
        self._then: dict[Path, list[Callable[[], None]]] = {}
        self._touched: list[tuple[Path, int, Sections]] = []

    @property
    def sheet(self) -> Sheet:
        """Who did what so far."""
        return self._run.sheet if self._run else Sheet()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Render what is left. Raises what rendering raised, and WorkersLost; then nothing goes on, and hidden files
        that were made but not taken are gone."""
        try:
            if kind is None:
                self._finish()
            elif self._run:
                self._run.place.stop()
        finally:
            for output in (one for one in self._awaited if one.name.startswith(".")):
                output.unlink(missing_ok=True)

    def add(
        self,
        rehearsal: Rehearsal,
        quality: Quality,
        only: Collection[str] | None = None,
        then: Callable[[str, Path], None] = lambda key, clip: None,
    ) -> Sections:
        """Have the sections of a film, or those with the keys `only`, rendered where they are not there.

        `then` is called with the key and the clip of each as soon as that is there; it may have more work `done`.
        """
        folder = self.media / "sections" / type(rehearsal.scene).__name__
        wanted = [played for played in rehearsal.sections if only is None or played.section.key in only]
        clips = {one.section.key: clip_path(folder, rehearsal, one, quality) for one in wanted}
        missing = tuple(key for key, clip in clips.items() if not is_whole(clip))
        made = Sections(clips, missing)
        self._touched.append((folder, len(rehearsal.sections), made))
        for key, clip in clips.items():
            if key in missing:
                self._then.setdefault(clip, []).append(partial(then, key, clip))
            else:
                then(key, clip)
        fresh = {key for key in missing if clips[key] not in self._asked}
        self._asked.update(clips[key] for key in fresh)
        if fresh:
            self._give_out(rehearsal, quality, [one for one in wanted if one.section.key in fresh], clips)
        return made

    def done(
        self,
        work: Callable[[Files, Path], Any],
        inputs: tuple[Input, ...],
        output: Path,
        seconds: float,
        price: tuple[str, str],
        then: Callable[[Any], None],
    ) -> None:
        """Have work done in the run, which makes `seconds` of film; `price` is a kind of things, and a name
        of one, of which it is remembered what they took. `then` is told what the work gave."""

        def measured(took: float, values: Sequence[Any]) -> None:
            self._awaited.discard(output)
            self._costs.add(*price, took, seconds)
            then(values[0])

        self._awaited.add(output)
        self._hired().add([Task(work, inputs, output, seconds, self._costs.expected(*price, seconds))], measured)

    def go_on(self, more: bool = True) -> None:
        """Keep all at work while another film is being prepared, where there are `more`."""
        if self._run and more:
            self._run.go_on()

    def _hired(self) -> Run:
        self._run = self._run or Run(self.crew.hired(code_version), self._progress)
        return self._run

    def _give_out(
        self, rehearsal: Rehearsal, quality: Quality, played: Sequence[Played], clips: dict[str, Path]
    ) -> None:
        film, kind = type(rehearsal.scene), priced(quality)
        trace = Input.of(rehearsal.scene.trace_path.resolve())
        opened = rehearsal.scene.trace
        told = Told(trace.sha256, opened.content_sha256, opened.unverified)
        have_at_hand(told, opened)
        for one in played:
            others, inputs = {}, [trace]
            if source := one.section.source:
                inputs.append(other := Input.of(shipped_path(source)))
                lent = other_trace(source)
                others[source] = Told(other.sha256, lent.content_sha256, lent.unverified)
                have_at_hand(others[source], lent)
            work = partial(render_section, Job(film, told, one.section, quality, others))
            clip, price = clips[one.section.key], (kind, f"{film.__name__}/{one.section.key}")
            self.done(work, tuple(inputs), clip, one.seconds, price, partial(self._rendered, clip))

    def _rendered(self, clip: Path, _: Any) -> None:
        for then in self._then.pop(clip, ()):
            then()

    def _finish(self) -> None:
        if self._run:
            try:
                self._run.finish()
            except BaseException:
                self._run.place.stop()
                raise
            self._run.place.close()
            self._costs.write()
            with whole(self.media / "sections" / "run.json") as unfinished:
                unfinished.write_text(json.dumps(asdict(self.sheet), indent=1))
        else:
            self._progress(0.0, 0.0)
        for _, _, made in self._touched:
            for clip in made.clips.values():
                clip.touch()
        for folder, keys in {folder: keys for folder, keys, _ in self._touched}.items():
            prune(folder, keys * sum(one == folder for one, _, _ in self._touched))
