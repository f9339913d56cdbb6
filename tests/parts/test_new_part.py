"""A new part, drawn in a film, checked and linted, is one file and its voucher: nothing else is touched."""

import importlib
import sys

import pytest

import scenes.parts
import scenes.truth
from scenes.check.checker import Checker
from scenes.film.gallery import parts
from scenes.film.rehearsal import rehearse
from scenes.film.scene import ASSETS, FilmScene
from scenes.lint.linter import Linter
from scenes.stage.telling import Telling
from scenes.truth import vouching
from tests.film.clean import assert_clean

PART = '''"""A lamp for each page, lit while the page is free."""

from dataclasses import dataclass

from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import measure, say
from scenes.parts.part import Atoms, Part, Read, Shown, View


@dataclass(frozen=True)
class Lamps(Part):
    """All lamps, and how many are lit."""

    wrong: bool = False

    def draw(self, view: View, box: Box) -> Atoms:
        t, row = view.theme, Box(box.x + 2, box.y + 2, box.w - 4, box.h - 80)
        for page, lamp in enumerate(row.columns(view.n_pages, 16)):
            free = bool(view.mask >> page & 1) != self.wrong
            yield (page, "lamp"), Block(lamp, fill=t.muted if free else t.panel, stroke=t.muted)
        said = say("{} free", measure("lamps.free", sum(1 for page in range(view.n_pages) if view.mask >> page & 1)))
        yield ("count",), Text(said, (box.x, box.bottom - 30), px=48, face="mono", color=t.text)

    def read(self, shown: Shown) -> Read:
        """Which lamps are lit: those lighter than the panel."""
        lamps = {key[1]: mobject for key, mobject in shown.items() if key[-1] == "lamp"}
        return {"lamps": tuple(page for page, lamp in lamps.items() if lamp.fill_rgbas[0, 0] > 0.4)}
'''
VOUCHER = '''"""Lamps of free pages."""

from __future__ import annotations

from collections.abc import Mapping

from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


def free(witness: Witness, at: int) -> list[int]:
    return [page for page, ref in enumerate(witness.state(at).refs) if not ref]


@vouches("lamps.free")
def count(witness: Witness, at: int) -> int:
    """Pages that nobody holds."""
    return len(free(witness, at))


@shows("lamps", fades=True)
def lamps(witness: Witness, at: int, shown: Mapping) -> tuple[int, ...]:
    """The lamps of those pages."""
    return tuple(free(witness, at))
'''


@pytest.fixture
def lamps(tmp_path, monkeypatch):
    """The class of the part, its two files put where parts and vouchers are found."""
    for package, text in ((scenes.parts, PART), (scenes.truth, VOUCHER)):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / "lamps.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        monkeypatch.delitem(sys.modules, f"{package.__name__}.lamps", raising=False)
    importlib.import_module("scenes.truth.lamps")
    yield importlib.import_module("scenes.parts.lamps").Lamps
    for package in (scenes.parts, scenes.truth):
        del sys.modules[f"{package.__name__}.lamps"], package.lamps
    vouching.FADING.discard("lamps")
    del vouching.VOUCHERS["lamps.free"], vouching.SHOWN["lamps"]


def film_of(part):
    """A film of a few seconds that shows `part`."""

    class LampsTelling(Telling):
        def sections(self):
            self.begin(-1)
            given = self.need("pages_alloc", "a page that was given").seq
            row = self.act(part, until=given + 3, seconds=2.0)
            self.shot("A lamp goes out: its page is held.", row, subject=("lamps",))
            self.shot("They come and go.", self.lapse(part, until=self.end, seconds=4.0), subject=("lamps",))
            yield self.section("lamps", "Lamps")

    class LampsFilm(FilmScene):
        default_trace = "promo.jsonl.gz"
        chapters = LampsTelling

    return LampsFilm


def test_it_is_drawn_checked_and_linted(lamps):
    report = assert_clean(film_of(lamps()), ASSETS / "traces" / "promo.jsonl.gz")
    assert report.fields and report.labels


def test_the_gallery_finds_it(lamps):
    assert lamps.__name__ in parts()


def test_its_voucher_catches_it_lying(lamps):
    checker, linter = Checker(), Linter()
    rehearse(film_of(lamps(wrong=True)), observers=(checker, linter))
    assert {found.difference.field.split(" ")[0] for found in checker.report().mismatches} == {"lamps"}
