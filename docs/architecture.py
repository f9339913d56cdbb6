"""Writes the picture and the modules of ARCHITECTURE.md, the tables of trace-format.md, and two schemas: `make docs`.

Each module is described by the first sentence of its docstring. With `--check` nothing is
written; the exit status is 1 where a file is not as it would be written.
"""

from __future__ import annotations

import ast
import sys
from html import escape
from pathlib import Path

from trace_format import tables

from astrai_sim.trace.schema import schema as trace_schema
from scenes.clips.manifest import schema as clips_schema

ROOT = Path(__file__).resolve().parents[1]
PAGE, PICTURE = ROOT / "docs" / "ARCHITECTURE.md", ROOT / "docs" / "architecture.svg"
FORMAT, LINES, CLIPS = (ROOT / "docs" / name for name in ("trace-format.md", "trace.schema.json", "clips.schema.json"))
BEGIN = "<!-- written by docs/architecture.py: run `make docs` -->\n"

WIDE, HIGH, COLUMN, ROW, LEFT, TOP = 205, 64, 245, 96, 50, 62
INK, PAPER, LINE, QUIET = "#E8EDF4", "#0E141B", "#5AB4F0", "#A3B0C2"
# Column, row, name, what it does; files are drawn rounded.
BOXES = (
    (0, 0, "scenario, workload", "what to run"),
    (1, 0, "engine", "cache, scheduler, clock"),
    (2, 0, "model, text", "tokens in, logits out"),
    (0, 1, "run.jsonl.gz", "header, events, footer"),
    (1, 1, "recorder", "watches the live objects"),
    (0, 2, "trace", "events, and the state after each"),
    (1, 2, "trace.verify, tools", "is it true? a run at a glance"),
    (0, 3, "story, measures", "history, what is said"),
    (1, 3, "stage", "shots: picture to picture"),
    (2, 3, "film", "sections side by side, joined"),
    (3, 3, "FILM.mp4", "says which trace it shows"),
    (1, 4, "parts, draw", "a moment as atoms, drawn"),
    (0, 5, "truth", "every number a second time"),
    (2, 5, "check, lint", "drawn against true; the picture"),
)
ARROWS = (
    ((0, 0), (1, 0)),
    ((2, 0), (1, 0)),
    ((1, 0), (1, 1)),
    ((1, 1), (0, 1)),
    ((0, 1), (0, 2)),
    ((0, 2), (1, 2)),
    ((0, 2), (0, 3)),
    ((0, 3), (1, 3)),
    ((1, 4), (1, 3)),
    ((1, 3), (2, 3)),
    ((2, 3), (3, 3)),
    ((2, 3), (2, 5)),
    ((0, 5), (2, 5)),
)


def corner(column: int, row: int) -> tuple[int, int]:
    """Upper left corner of a box, in pixels."""
    return LEFT + column * COLUMN, TOP + row * ROW + (28 if row > 2 else 0)


def picture() -> str:
    """The picture as SVG."""
    width, height = LEFT + 3 * COLUMN + WIDE + 30, corner(0, 5)[1] + HIGH + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="Inter, sans-serif">',
        f'<marker id="tip" orient="auto" markerWidth="8" markerHeight="8" refX="7" refY="4" viewBox="0 0 8 8">'
        f'<path d="M0 0L8 4L0 8z" fill="{LINE}"/></marker>',
        f'<rect width="{width}" height="{height}" rx="10" fill="{PAPER}"/>',
    ]
    divide = corner(0, 3)[1] - 30
    parts.append(f'<path d="M20 {divide}H{width - 20}" stroke="{QUIET}" stroke-dasharray="4 6"/>')
    for y, text in ((36, "astrai_sim"), (divide + 18, "scenes")):
        parts.append(f'<text x="{width - 30}" y="{y}" text-anchor="end" font-size="15" fill="{QUIET}">{text}</text>')
    for start, end in ARROWS:
        (x1, y1), (x2, y2) = corner(*start), corner(*end)
        if start[1] == end[1]:
            right = x2 > x1
            path = f"M{x1 + WIDE * right} {y1 + HIGH // 2}H{x2 - 4 if right else x2 + WIDE + 4}"
        else:
            down = y2 > y1
            path = f"M{x1 + WIDE // 2} {y1 + HIGH * down}V{y2 - 4 if down else y2 + HIGH + 4}"
        parts.append(f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="2" marker-end="url(#tip)"/>')
    (_, y1), (x, y2) = corner(0, 2), corner(0, 5)
    path = f"M{x} {y1 + HIGH // 2}H{x - 26}V{y2 + HIGH // 2}H{x - 4}"
    parts.append(f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="2" marker-end="url(#tip)"/>')
    for column, row, name, does in BOXES:
        x, y = corner(column, row)
        file = name.endswith((".gz", ".mp4"))
        parts.append(
            f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="{30 if file else 6}" '
            f'fill="#18212C" stroke="{QUIET if file else LINE}"/>'
        )
        middle = x + WIDE // 2
        for at, size, color, text in ((27, 16, INK, name), (47, 12, QUIET, does)):
            parts.append(
                f'<text x="{middle}" y="{y + at}" text-anchor="middle" font-size="{size}" fill="{color}">'
                f"{escape(text)}</text>"
            )
    return "\n".join([*parts, "</svg>\n"])


def modules() -> str:
    """A list for each package: its modules, and what each is for."""
    lines: list[str] = []
    for package in ("astrai_sim", "scenes"):
        folder = None
        for path in sorted((ROOT / package).rglob("*.py"), key=lambda path: (path.parent, path.name)):
            if path.parent != folder:
                folder = path.parent
                lines += ["", f"### {folder.relative_to(ROOT).as_posix()}", ""]
            said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            if said is None:
                raise SystemExit(f"{path.relative_to(ROOT)}:1: the module says nothing of itself: give it a docstring")
            first = " ".join(said.split("\n\n")[0].split())
            lines.append(f"- `{path.relative_to(ROOT).as_posix()}`: {first}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write all files, or with `--check` compare them."""
    wanted = {PICTURE: picture(), LINES: trace_schema(), CLIPS: clips_schema()}
    for page, text in ((PAGE, modules()), (FORMAT, tables())):
        if BEGIN not in (old := page.read_text(encoding="utf-8")):
            raise SystemExit(f"{page.relative_to(ROOT)}: the line that begins the list is gone: {BEGIN.strip()}")
        wanted[page] = old.split(BEGIN)[0] + BEGIN + text
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not as the sources are: run `make docs`", file=sys.stderr)
        return bool(stale)
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
