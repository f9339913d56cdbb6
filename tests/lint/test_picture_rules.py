"""Each rule that judges a picture catches a bad one and passes a good one."""

import numpy as np
import pytest
from manim import Group, Line, Rectangle, Square, Text

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block
from scenes.draw.layout import UNIT, WIDE, Box
from scenes.lint.facts import Known
from scenes.lint.rules.pictures import Contrast, Crossing, GlyphSize, SafeArea, TextOverlap, contrast
from tests.lint.board import Board, field, judge, label, panel, wire

SAFE = WIDE.safe


def test_what_is_known_of_a_mobject_is_kept_until_it_looks_otherwise():
    known, text = Known(), label("page 3")
    first, right = known.of(text, WIDE), known.of(text, WIDE).box[2]
    assert known.of(text, WIDE) is first and first.visible
    text.set_text("page 12")
    assert known.of(text, WIDE).box[2] > right
    text.fill_rgbas = text.fill_rgbas * (1, 1, 1, 0)
    assert not known.of(text, WIDE).visible


class TestSafeArea:
    @pytest.mark.parametrize(
        ("at", "align", "edge"),
        [
            ((SAFE.x - 20, 540), "left", "left"),
            ((SAFE.right + 20, 540), "right", "right"),
            ((960, SAFE.y - 20), "left", "top"),
            ((960, SAFE.bottom + 20), "left", "bottom"),
        ],
    )
    def test_text_beyond_an_edge(self, at, align, edge):
        (problem,) = judge(SafeArea(), label(at=at, align=align))
        assert problem.mobjects == ("DrawnText 'page 3'",)
        assert edge in problem.detail

    def test_shapes_and_cells_beyond_an_edge(self):
        made = panel(Box(SAFE.x - 5, 500, 100, 100), fill=theme.PANEL)
        cells = field(Box(1000, SAFE.bottom - 10, 100, 40), 4, 2, _0=theme.TEXT)
        assert [p.mobjects for p in judge(SafeArea(), made, cells)] == [("DrawnBlock",), ("DrawnCells",)]

    def test_a_thick_stroke_counts(self):
        box = Box(SAFE.x + 1, 500, 100, 100)
        assert not judge(SafeArea(), panel(box, stroke=theme.TEXT, stroke_px=2))
        assert judge(SafeArea(), panel(box, stroke=theme.TEXT, stroke_px=8))

    def test_what_is_inside_or_invisible_passes(self):
        hidden = label(at=(5, 5))
        hidden.set_fill(opacity=0)
        unseen = field(Box(0, 0, 50, 50), 4, 2)
        assert not judge(SafeArea(), label(), hidden, unseen)

    def test_members_of_groups_count(self):
        assert judge(SafeArea(), Group(Group(label(at=(20, 540)))))


class TestTextOverlap:
    def test_two_labels_on_one_place(self):
        (problem,) = judge(TextOverlap(), label("page 3"), label("ref 1", at=(970, 545)))
        assert problem.mobjects == ("DrawnText 'page 3'", "DrawnText 'ref 1'")

    def test_side_by_side_and_below_one_another(self):
        beside = label("ref 1", at=(960 + fonts.width("page 3", "sans", theme.LABEL) + 10, 540))
        below = label("ref 2", at=(960, 580))
        assert not judge(TextOverlap(), label(), beside, below)

    def test_blank_text_covers_nothing(self):
        assert not judge(TextOverlap(), label(), label(""))


class TestCrossing:
    def test_wire_through_text(self):
        line = wire([(900, 400), (980, 400), (980, 700)])
        (problem,) = judge(Crossing(), line, label())
        assert problem.mobjects == ("DrawnLine", "DrawnText 'page 3'")

    def test_wire_around_text(self):
        line = wire([(900, 400), (930, 400), (930, 700)])
        assert not judge(Crossing(), line, label())

    def test_undrawn_wire_passes(self):
        line = wire([(980, 300), (980, 700)])
        line.set_stroke(opacity=0, family=False)
        assert not judge(Crossing(), line, label())

    def test_slanted_line(self):
        through = Line(WIDE.point(940, 500), WIDE.point(1000, 580))
        past = Line(WIDE.point(900, 500), WIDE.point(940, 580))
        assert [p.mobjects[0] for p in judge(Crossing(), through, past, label())] == ["Line"]

    def test_border_of_a_panel_that_its_text_leaves(self):
        text = label("a line that is far too long")
        tight = panel(Box(950, 510, 120, 60), stroke=theme.OUTLINE)
        wide = panel(Box(940, 510, 600, 60), stroke=theme.OUTLINE)
        assert judge(Crossing(), tight, text)
        assert not judge(Crossing(), wide, text)


class TestGlyphSize:
    def test_smallest_text_of_the_theme_passes_in_every_face(self):
        faces = ("sans", "sans-medium", "sans-bold", "mono", "mono-bold")
        assert not judge(GlyphSize(), *(label(px=theme.LEAST_SIZE, face=face) for face in faces))

    def test_small_em_size(self):
        (problem,) = judge(GlyphSize(), label(px=24))
        assert "capitals 17.5 px" in problem.detail

    def test_label_scaled_down_after_it_was_made(self):
        small = label(px=theme.LEAST_SIZE)
        small.points = small.points * 0.5
        assert judge(GlyphSize(), small)

    def test_large_label_scaled_within_the_limit(self):
        large = label(px=2 * theme.LEAST_SIZE)
        large.points = large.points * 0.5
        assert not judge(GlyphSize(), large)

    def test_manims_own_text_is_refused(self):
        (problem,) = judge(GlyphSize(), Text("page 3"))
        assert "not a Label" in problem.detail


class TestContrast:
    def test_on_the_bare_background(self):
        assert not judge(Contrast(), label(color=theme.TEXT), label(color=theme.MUTED))
        (problem,) = judge(Contrast(), label(color="#3A4350"))
        assert theme.BACKGROUND in problem.detail

    def test_ratio_of_black_and_white(self):
        assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)

    def test_fill_behind_decides_whatever_the_label_declares(self):
        chip = panel(Box(940, 510, 200, 60), fill=theme.DARK.hues[0])
        dark = label(color=theme.BACKGROUND, ground=theme.BACKGROUND)
        light = label(color=theme.TEXT, ground=theme.BACKGROUND)
        assert not judge(Contrast(), chip, dark)
        assert judge(Contrast(), chip, light)
        assert judge(Contrast(), dark)

    def test_text_partly_on_a_bright_shape(self):
        half = panel(Box(1000, 510, 200, 60), fill=theme.TEXT)
        assert judge(Contrast(), half, label(color=theme.TEXT))

    def test_half_transparent_fill_is_blended(self):
        veil = Rectangle(width=400 / UNIT, height=80 / UNIT, fill_color="#FFFFFF", stroke_width=0).move_to(
            WIDE.point(1000, 540)
        )
        assert not judge(Contrast(), veil.copy().set_fill(opacity=0.1), label())
        assert judge(Contrast(), veil.copy().set_fill(opacity=0.8), label())

    def test_a_shape_over_the_text_hides_it(self):
        cover = panel(Box(900, 500, 300, 80), fill=theme.PANEL)
        assert not judge(Contrast(), cover, label())
        assert judge(Contrast(), label(z=0), cover)

    def test_a_text_is_judged_again_where_what_is_behind_it_has_changed(self):
        text, ground = label(color=theme.TEXT), panel(Box(900, 500, 300, 80), fill=theme.PANEL)
        board = Board(Contrast()).section("one", ground, text).move(1, ground, text)
        assert not board.linter.findings
        ground.put(Block(box=Box(900, 500, 300, 80), fill=theme.TEXT).vector())
        (finding,) = board.move(1, ground, text).findings()
        assert finding.rule == "contrast" and finding.time == 2

    def test_faded_text(self):
        pale = label()
        pale.set_fill(opacity=0.3)
        assert judge(Contrast(), pale)

    def test_cells_behind_text(self):
        cells = field(Box(900, 500, 300, 80), 12, 6, all=theme.EMPTY)
        assert not judge(Contrast(), cells, label())
        cells.rgba[2] = 1.0
        assert judge(Contrast(), cells, label())
        cells.opacity = 0.05
        assert not judge(Contrast(), cells, label())

    def test_a_shape_with_a_hole_covers_only_its_rim(self):
        ring = Square(side_length=6).set_points(
            np.concatenate([Square(side_length=6).points, Square(side_length=4).reverse_points().points])
        )
        ring.set_fill("#FFFFFF", opacity=1).set_stroke(width=0)
        assert not judge(Contrast(), ring, label(color=theme.TEXT))
        assert judge(Contrast(), ring, label(color=theme.TEXT, at=(960, 540 - 2.5 * UNIT)))
