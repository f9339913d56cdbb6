"""What rendering costs: films rendered anew, how long that takes, how large they are, and what they lose."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import av
from av.video.frame import PictureType

from scenes.film.join import join
from scenes.film.likeness import likeness
from scenes.film.quality import FINAL, Quality, rendering
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene
from scenes.film.sheet import duration, opened
from scenes.stage.shot import Storyboard

SLOW = {"preset": "medium", "crf": "16", "tune": "animation", "mbtree": "0", "threads": "1"}
"""What films are compared with: x264's default preset, at a quality at which nobody sees a difference."""


class CannotMeasure(ValueError):
    """A film that could not be rendered; the message is what the rendering said."""


@dataclass(frozen=True)
class Cost:
    """`wall` and `cpu` seconds of rendering a film of `seconds` with nothing kept from before, its start included.

    Of `section`, one of its sections or all: `like`, the similarity to what was drawn, and `slow`, that of a slow
    encoder's; `size` is how many times as large it is as the slow encoder's.
    """

    seconds: float
    wall: float
    cpu: float
    section: str
    like: float
    slow: float
    size: float


def cost(film: type[FilmScene], quality: Quality = FINAL, processes: int | None = None, whole: bool = False) -> Cost:
    """Render `film` from its own trace into a folder that is gone afterwards, as the command line does.

    Compared is the section of median length, or the `whole` film. Raises CannotMeasure.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        output = folder / "film.mp4"
        command = [sys.executable, "-m", "scenes", "render", film.__name__, "--quality", quality.name, "-o", output]
        command += ["--quiet", *(["--processes", str(processes)] if processes else [])]
        paths = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
        )
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise CannotMeasure(done.stderr.strip())
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Cost(duration(output), wall, spent, *_compared(film, quality, folder, whole))


def _compared(film: type[FilmScene], quality: Quality, folder: Path, whole: bool) -> tuple[str, float, float, float]:
    """What is lost in the film below `folder`, or in the clip of its section of median length; see `Cost`."""
    rehearsal = rehearse(film, quality=quality)
    played = sorted(rehearsal.sections, key=lambda one: one.seconds)[len(rehearsal.sections) // 2]
    told, name, made = Storyboard(film.__name__, (played.section,)), played.section.key, folder / "film.mp4"
    if whole:
        told, name = rehearsal.scene.storyboard, "all"
    else:
        (made,) = (folder / "media" / "sections" / film.__name__).glob(f"{name}-*p{quality.fps}-*")
    with rendering(quality, folder / "drawn", crf="0", preset="ultrafast"):
        scene = film(trace=rehearsal.scene.trace, storyboard=told, quality=quality)
        scene.render()
    drawn, slow = folder / "drawn.mp4", folder / "slow.mp4"
    join([Path(part) for part in scene.renderer.file_writer.partial_movie_files], drawn, quality.fps)
    _encoded(drawn, slow)
    return name, likeness(made, drawn), likeness(slow, drawn), made.stat().st_size / slow.stat().st_size


def _encoded(film: Path, output: Path) -> None:
    with opened(film) as (source, video), av.open(str(output), "w") as written:
        stream = written.add_stream("libx264", rate=video.average_rate, options=SLOW)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        for frame in source.decode(video):
            frame.pict_type = PictureType.NONE
            written.mux(stream.encode(frame))
        written.mux(stream.encode())
