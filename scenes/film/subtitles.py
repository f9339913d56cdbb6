"""What is said in a film as text: subtitles, chapters for a video site, and a script to read it by."""

from collections.abc import Sequence
from pathlib import Path

import pysubs2

from astrai_sim.files import whole
from scenes.film.cut import Clip, Line

KINDS = {".srt": "srt", ".vtt": "vtt"}


def write_subtitles(lines: Sequence[Line], video: Path) -> list[Path]:
    """Write SubRip and WebVTT files beside `video`, under its name; gives their paths.

    Times are the lines' own, to the millisecond. Raises OSError where a file cannot be written.
    """
    subtitles = pysubs2.SSAFile()
    for line in lines:
        event = pysubs2.SSAEvent(start=round(line.start * 1000), end=round(line.end * 1000))
        event.plaintext = line.text
        subtitles.append(event)
    return [_written(video.with_suffix(ending), subtitles.to_string(kind)) for ending, kind in KINDS.items()]


def write_script(sections: Sequence[Clip], title: str, video: Path) -> list[Path]:
    """Write, beside `video`, the chapters of a film as video sites read them, and a narration script in Markdown.

    `sections` are the film's, whole and in order. Raises OSError where a file cannot be written.
    """
    chapters = "".join(f"{clock(section.start)} {section.title}\n" for section in sections)
    script = [f"# {title}", ""]
    for section in sections:
        script += [f"## {clock(section.start)} {section.title}", ""]
        for line in section.lines:
            at, seconds = clock(section.start + line.start, True), line.end - line.start
            script += [f"- **{at}** ({seconds:.1f} s) {line.text}"]
        script += [""] if section.lines else []
    where = {".chapters.txt": chapters, ".narration.md": "\n".join(script)}
    return [_written(video.with_name(video.stem + ending), text) for ending, text in where.items()]


def clock(seconds: float, tenths: bool = False) -> str:
    """`1:02`, or `1:02.4`: minutes and seconds of film, cut and not rounded, so that nothing begins late."""
    whole_tenths = int(seconds * 10 + 1e-6)
    minutes, rest = divmod(whole_tenths, 600)
    return f"{minutes}:{rest // 10:02}" + (f".{rest % 10}" if tenths else "")


def lines_of(clips: Sequence[Clip]) -> list[Line]:
    """What is said in all `clips`, in seconds of the film; what goes on from one to the next stands once."""
    found: list[Line] = []
    for line in (line.later(clip.start) for clip in clips for line in clip.lines):
        if found and found[-1].text == line.text and abs(found[-1].end - line.start) < 1e-6:
            found[-1] = Line(found[-1].start, line.end, line.text)
        else:
            found.append(line)
    return found


def _written(path: Path, text: str) -> Path:
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path
