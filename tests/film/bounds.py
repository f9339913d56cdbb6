"""What still contradicts itself between the beats of each shipped film, counted.

`bounds.json` may only shrink: `python -m tests.film.bounds` takes over what has become less, and
refuses what has become more.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from scenes.check.checker import CheckReport
from scenes.film import catalog
from scenes.film.checking import EVERY_FRAME, WITHIN, check

FILE = Path(__file__).with_name("bounds.json")
FRAMES = "every frame"


def counts(report: CheckReport, frames: bool = False) -> dict[str, dict[str, int]]:
    """What of a report is counted, in groups."""
    if frames:
        return {FRAMES: {"pictures": len(report.contradictions)}}
    return {"between beats": dict(report.between)}


def bounds(film: str) -> dict[str, dict[str, int]]:
    """The most that there may be of each."""
    return json.loads(FILE.read_text()).get(film, {})


def beyond(found: dict[str, dict[str, int]], most: dict[str, dict[str, int]]) -> list[str]:
    """What there is more of than may be."""
    return [
        f"{group}: {kind}: {count}, at most {most.get(group, {}).get(kind, 0)}"
        for group, kinds in found.items()
        for kind, count in kinds.items()
        if count > most.get(group, {}).get(kind, 0)
    ]


def main() -> None:
    """Measure the films named, or every film, and write what has become less."""
    known = json.loads(FILE.read_text())
    for name in sys.argv[1:] or sorted(catalog.films()):
        film = catalog.film(name)
        found = counts(check(film, moments=WITHIN)) | counts(check(film, moments=EVERY_FRAME), frames=True)
        more = beyond(found, known[name]) if name in known else []
        if more:
            sys.exit(f"{name}: {'; '.join(more)}")
        known[name] = {group: dict(sorted((k, n) for k, n in kinds.items() if n)) for group, kinds in found.items()}
        print(name, known[name])
        FILE.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
