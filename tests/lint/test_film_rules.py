"""Each rule that watches a whole film catches a bad one and passes a good one."""

from itertools import combinations

import pytest
from coloraide import Color

from scenes import theme
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.lint.rules.caption_time import CaptionTime
from scenes.lint.rules.colors import LEAST, TaskColors, differences
from scenes.lint.rules.glyph_size import GlyphSize
from scenes.lint.rules.stillness import Stillness
from scenes.old.mobjects.caption import Caption
from scenes.old.mobjects.shapes import Panel
from tests.lint.board import Board

SENTENCE = "A sentence of just forty-five characters, ok."


def caption(text):
    made = Caption(Box(96, 900, 1200, 100))
    made.show(text)
    return made


class TestCaptionTime:
    def test_read_in_time(self):
        board = Board(CaptionTime()).section("one")
        board.move(0.5, caption(SENTENCE)).wait(3.0).move(0.5)
        assert not board.findings()

    def test_replaced_too_soon(self):
        board = Board(CaptionTime()).section("one")
        board.move(0.5, caption(SENTENCE)).wait(1.0).move(0.5, caption("Ok.")).wait(1)
        (finding,) = board.findings()
        assert finding.mobjects == (f"Caption {SENTENCE!r}",)
        assert finding.section == "one"
        assert "stands 1.0 s, reading it takes 3.0 s" in finding.detail

    def test_cut_off_by_the_end_of_the_film(self):
        board = Board(CaptionTime()).section("one").move(0.5, caption(SENTENCE)).wait(2.0)
        assert board.findings()

    def test_goes_on_into_the_next_section(self):
        board = Board(CaptionTime()).section("one").move(0.5, caption(SENTENCE)).wait(1.5)
        board.section("two", caption(SENTENCE)).wait(1.5).move(0.5)
        assert not board.findings()

    def test_swept_away_by_the_next_section(self):
        board = Board(CaptionTime()).section("one").move(0.5, caption(SENTENCE)).wait(1.5)
        board.section("two").wait(1.5)
        (finding,) = board.findings()
        assert finding.section == "one"

    def test_a_long_animation_counts_from_when_the_caption_has_faded_in(self):
        board = Board(CaptionTime()).section("one")
        assert not board.move(3.5, caption(SENTENCE)).move(0.5).findings()
        board = Board(CaptionTime()).section("one")
        assert board.move(3.4, caption(SENTENCE)).move(0.5).findings()


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
        chips = [Panel(Box(200, 200 + i * 99, 50, 50), fill=c) for i, c in enumerate(self.ALIKE)]
        (finding,) = board.section("one", *chips).findings()
        assert finding.mobjects == self.ALIKE
        assert "deuteranopia" in finding.detail

    def test_colours_of_cells_outlines_and_later_pictures_count(self):
        field = CellField(Box(200, 200, 50, 8), 1, 1)
        field.set_cell(0, self.ALIKE[0])
        frame = Panel(Box(200, 300, 50, 50), stroke=self.ALIKE[1])
        board = Board(TaskColors(self.ALIKE)).section("one", field)
        assert board.move(1.0, frame).findings()

    def test_colours_that_the_film_does_not_use_do_not_count(self):
        chip = Panel(Box(200, 200, 50, 50), fill=self.ALIKE[0])
        assert not Board(TaskColors(self.ALIKE)).section("one", chip).findings()

    @pytest.mark.parametrize(("first", "second"), list(combinations(theme.TASK_COLORS, 2)))
    def test_palette(self, first, second):
        assert min(differences(first, second).values()) >= LEAST

    @pytest.mark.parametrize("color", theme.TASK_COLORS)
    def test_dark_text_is_readable_on_every_task_colour(self, color):
        assert Color(color).contrast(theme.BACKGROUND) >= 4.5


def test_a_problem_that_stays_is_reported_once_a_section():
    small = Label("tiny", px=12, at=(960, 540))
    board = Board(GlyphSize()).section("one", small).move(1, small).move(1, small)
    board.section("two", small).move(1, small)
    findings = board.findings()
    assert [(f.section, f.time) for f in findings] == [("one", 0.0), ("two", 2.0)]
    assert str(findings[0]).startswith("0.00s [one] glyph-size: Label 'tiny': capitals")
