"""Each rule that watches a whole film catches a bad one and passes a good one."""

from itertools import combinations

import pytest
from coloraide import Color

from scenes import theme
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.lint.rules.colors import LEAST, TaskColors, differences
from scenes.lint.rules.glyph_size import GlyphSize
from scenes.lint.rules.stillness import Stillness
from tests.lint.board import Board, panel


class TestStillness:
    def test_short_waits_between_motion(self):
        board = Board(Stillness()).section("one")
        for _ in range(5):
            board.wait(3.9).move(0.2)
        assert not board.findings()

    def test_waits_add_up(self):
        board = Board(Stillness()).section("one").move(1.0).wait(2.5).wait(2.5).move(1.0)
        (finding,) = board.findings()
        assert finding.time == pytest.approx(1.0)
        assert "5.0 s" in finding.detail

    def test_across_sections(self):
        board = Board(Stillness()).section("one").move(1.0).wait(2.5)
        (finding,) = board.section("two").wait(2.5).move(1.0).findings()
        assert finding.section == "one"

    def test_at_the_end(self):
        assert Board(Stillness()).section("one").move(1.0).wait(5.0).findings()


class TestTaskColors:
    ALIKE = ("#F5A623", "#D9663B")

    def test_pair_that_only_colour_blind_viewers_confuse(self):
        seen = differences(*self.ALIKE)
        assert seen["normal vision"] > LEAST > seen["deuteranopia"]
        board = Board(TaskColors(self.ALIKE))
        chips = [panel(Box(200, 200 + i * 99, 50, 50), fill=c) for i, c in enumerate(self.ALIKE)]
        (finding,) = board.section("one", *chips).findings()
        assert finding.mobjects == self.ALIKE
        assert "deuteranopia" in finding.detail

    def test_colours_of_cells_outlines_and_later_pictures_count(self):
        field = CellField(Box(200, 200, 50, 8), 1, 1)
        field.set_cell(0, self.ALIKE[0])
        frame = panel(Box(200, 300, 50, 50), stroke=self.ALIKE[1])
        board = Board(TaskColors(self.ALIKE)).section("one", field)
        assert board.move(1.0, frame).findings()

    def test_colours_that_the_film_does_not_use_do_not_count(self):
        chip = panel(Box(200, 200, 50, 50), fill=self.ALIKE[0])
        assert not Board(TaskColors(self.ALIKE)).section("one", chip).findings()

    @pytest.mark.parametrize(("first", "second"), list(combinations(theme.DARK.hues, 2)))
    def test_palette(self, first, second):
        assert min(differences(first, second).values()) >= LEAST

    @pytest.mark.parametrize("color", theme.DARK.hues)
    def test_dark_text_is_readable_on_every_task_colour(self, color):
        assert Color(color).contrast(theme.BACKGROUND) >= 4.5


def test_a_problem_that_stays_is_reported_once_a_section():
    small = Label("tiny", px=12, at=(960, 540))
    board = Board(GlyphSize()).section("one", small).move(1, small).move(1, small)
    board.section("two", small).move(1, small)
    findings = board.findings()
    assert [(f.section, f.time) for f in findings] == [("one", 0.0), ("two", 2.0)]
    assert str(findings[0]).startswith("0.00s [one] glyph-size: Label 'tiny': capitals")
