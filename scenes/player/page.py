"""Writes the page: film, chapters, sentences, events and states, in one HTML file or beside it."""

import json
from base64 import b64encode
from html import escape
from pathlib import Path

from astrai_sim.files import whole
from astrai_sim.trace import Trace
from scenes.clips.pages import write_page
from scenes.film.cut import Clip
from scenes.film.quality import Quality
from scenes.film.subtitles import clock, lines_of
from scenes.player.told import Told, described, line, listed

TEMPLATE = Path(__file__).with_name("player.html")


def write_player(
    title: str, film: Path, sections: list[Clip], told: Told, quality: Quality, output: Path, beside: bool = False
) -> list[Path]:
    """Write the page of the rendered `film` to `output`; gives the files written.

    `sections` are the film's, whole and in order, `told` watched it being rehearsed. With `beside` the film lies beside
    the page, under its name, else it is inside. Raises OSError where a file cannot be written.
    """
    traces, times = [], told.times()
    for trace, when in zip(told.traces, times, strict=True):
        events = [[e.seq, e.step, e.phase or "", line(e), when.get(e.seq, -1)] for e in listed(trace)]
        traces.append({"name": trace.header.scenario_name, "events": events, "all": len(trace)})
    states = [[round(m.time, 3), m.trace, m.seq, _state(told.traces[m.trace], m.seq)] for m in told.moments]
    data = {
        "traces": traces,
        "states": states,
        "chapters": [[round(section.start, 3), section.title] for section in sections],
        "lines": [[round(one.start, 3), round(one.end, 3), one.text] for one in lines_of(sections)],
    }
    written, video = [output], output.with_suffix(".mp4")
    if beside:
        with whole(video) as partial:
            partial.write_bytes(film.read_bytes())
        written.append(video)
    header = told.traces[0].header
    where = f"{header.device.name}, {header.dtype}"
    if header.membership_only:
        where = f"cache events of engine {header.engine.name}, refcounts not recorded"
    facts = {
        "title": escape(title),
        "theme": quality.theme.name,
        "width": str(quality.width),
        "height": str(quality.height),
        "file": video.name if beside else "",
        "where": escape(f"{where}, {header.started[:10]}, trace {told.traces[0].computed_sha256}"),
        "chapters": "\n".join(map(_chapter, sections)),
        "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        "video": "" if beside else b64encode(film.read_bytes()).decode(),
    }
    write_page(TEMPLATE, facts, output, beside)
    return written


def _state(trace: Trace, seq: int) -> dict[str, str]:
    return described(trace.state_at(seq), trace.header.membership_only)


def _chapter(section: Clip) -> str:
    at = f"<span>{clock(section.start)}</span>"
    return f'<li><button data-t="{section.start:.3f}">{at} {escape(section.title)}</button></li>'
