"""Each rule that watches a whole film catches a bad one and passes a good one."""

from dataclasses import replace
from itertools import combinations

import pytest
from coloraide import Color

from scenes import theme
from scenes.draw.layout import Box
from scenes.lint.rules.film import LEAST, TaskColors, differences
from scenes.lint.rules.pictures import GlyphSize
from tests.lint.board import Board, field, label, panel


class TestTaskColors:
    ALIKE = ("#F5A623", "#D9663B")
    LOOK = replace(theme.DARK, hues=ALIKE, crowd=(), accent="#000000")

    def test_pair_that_only_colour_blind_viewers_confuse(self):
        seen = differences(*self.ALIKE)
        assert seen["normal vision"] > LEAST > seen["deuteranopia"]
        board = Board(TaskColors(), self.LOOK)
        chips = [panel(Box(200, 200 + i * 99, 50, 50), fill=c) for i, c in enumerate(self.ALIKE)]
        (finding,) = board.section("one", *chips).findings()
        assert finding.mobjects == self.ALIKE
        assert "deuteranopia" in finding.detail

    def test_colours_of_cells_outlines_and_later_pictures_count(self):
        cell = field(Box(200, 200, 50, 8), 1, 1, all=self.ALIKE[0])
        frame = panel(Box(200, 300, 50, 50), stroke=self.ALIKE[1])
        board = Board(TaskColors(), self.LOOK).section("one", cell)
        assert board.move(1.0, frame).findings()

    def test_colours_that_the_film_does_not_use_do_not_count(self):
        chip = panel(Box(200, 200, 50, 50), fill=self.ALIKE[0])
        assert not Board(TaskColors(), self.LOOK).section("one", chip).findings()

    @pytest.mark.parametrize(("first", "second"), list(combinations(theme.DARK.hues, 2)))
    def test_palette(self, first, second):
        assert min(differences(first, second).values()) >= LEAST

    @pytest.mark.parametrize("color", theme.DARK.hues)
    def test_dark_text_is_readable_on_every_task_colour(self, color):
        assert Color(color).contrast(theme.BACKGROUND) >= 4.5


def test_a_problem_that_stays_is_reported_once_a_section():
    small = label("tiny", px=12)
    board = Board(GlyphSize()).section("one", small).move(1, small).move(1, small)
    board.section("two", small).move(1, small)
    findings = board.findings()
    assert [(f.section, f.time) for f in findings] == [("one", 0.0), ("two", 2.0)]
    assert str(findings[0]).startswith("0.00s [one] glyph-size: DrawnText 'tiny': capitals")
