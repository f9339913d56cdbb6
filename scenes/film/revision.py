"""The same stills from the code of another commit, set side by side with this one's."""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from astrai_sim.shipped import CHECKOUT
from scenes import theme
from scenes.film.stills import NoStill, Still, file_name

BLOCK = 16
"""Pixels that differ are marked together where they lie in neighbouring squares of this size."""


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A temporary folder with the project as it is in `revision`. Raises `NoStill` where there is none."""
    if CHECKOUT is None:
        raise NoStill("other commits can be drawn in a checkout of the project only")
    found = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode:
        raise NoStill(f"{revision!r} is no commit of this project: see `git log`")
    with tempfile.TemporaryDirectory(prefix="stills-") as name:
        folder = Path(name) / "tree"
        added = _git("worktree", "add", "--detach", str(folder), found.stdout.strip())
        if added.returncode:
            raise NoStill(f"{revision} cannot be checked out: {added.stderr.strip().splitlines()[-1]}")
        try:
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(CHECKOUT), *words], capture_output=True, text=True, check=False)


class Other:
    """The stills of another revision, by section and place in it.

    `words` are those of `python -m scenes stills`, without an output. Raises `NoStill` where
    that revision has no such command or cannot draw them.
    """

    def __init__(self, revision: str, words: Sequence[str], folder: Path) -> None:
        self.revision = revision
        self._files: dict[tuple[str, int], tuple[str, Path]] = {}
        with checked_out(revision) as tree:
            command = [sys.executable, "-m", "scenes", "stills", *words, "--within", "--digests", "-o", str(folder)]
            done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it failed without a word"])[-1].removeprefix("Error: ")
            if said.startswith(("No such command", "No module named")):
                said = "it has no command `stills`: choose a later commit"
            raise NoStill(f"{revision}: {said}")
        places: Counter[str] = Counter()
        for line in done.stdout.splitlines():
            time, rest = line.split(" ", 1)
            section, digest = rest.rsplit(" ", 1)
            self._files[section, places[section]] = digest, folder / file_name(float(time))
            places[section] += 1

    @property
    def left(self) -> int:
        """Stills that have not been taken."""
        return len(self._files)

    def beside(self, still: Still) -> tuple[Still, bool]:
        """`still` with the other revision's to its right, what differs marked in both; and whether anything does.

        Where the other revision has none, its half is empty.
        """
        digest, file = self._files.pop((still.section, still.place), ("", None))
        theirs = Image.open(file).convert("RGBA") if file else Image.new("RGBA", still.image.size, theme.PANEL)
        both = Image.new("RGBA", (2 * still.image.width, still.image.height))
        draw, line = ImageDraw.Draw(both), max(2, both.height // 270)
        for x, image in ((0, still.image), (still.image.width, theirs)):
            both.paste(image, (x, 0))
            for left, top, right, bottom in differing(still.image, theirs) if file else ():
                draw.rectangle((x + left, top, x + right, bottom), outline=theme.WARNING, width=line)
        return Still(still.time, still.chapter, both, still.section, still.place), still.digest != digest


def differing(one: Image.Image, other: Image.Image) -> list[tuple[int, int, int, int]]:
    """Boxes (left, top, right, bottom, in pixels) around what differs in two pictures of one size."""
    off = (np.asarray(one.convert("RGB")) != np.asarray(other.convert("RGB"))).any(axis=2)
    height, width = off.shape
    padded = np.pad(off, ((0, -height % BLOCK), (0, -width % BLOCK)))
    blocks = padded.reshape(padded.shape[0] // BLOCK, BLOCK, -1, BLOCK).any(axis=(1, 3))
    labels = np.zeros(blocks.shape, np.int32)
    ndimage.label(blocks, structure=np.ones((3, 3)), output=labels)
    found = []
    for rows, columns in ndimage.find_objects(labels):
        right, bottom = min(columns.stop * BLOCK, width) - 1, min(rows.stop * BLOCK, height) - 1
        found.append((columns.start * BLOCK, rows.start * BLOCK, right, bottom))
    return found
