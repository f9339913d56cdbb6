"""The screen draws what changes, and gives each pixel what a whole drawing gives it."""

import numpy as np
import pytest
from manim import Circle, Group

from scenes.draw.atoms import Block, Cells, Grid, Line, Text, grid_edges
from scenes.draw.camera import FilmCamera
from scenes.draw.canvas import Canvas, Change
from scenes.draw.layout import WIDE, Box
from scenes.draw.screen import Area, Screen, apart
from scenes.film.quality import PREVIEW, rehearsing
from scenes.film.renderer import FilmRenderer
from tests.film.tiny import TINY, TinyFilm


def picture(n=0):
    """A picture with every kind of atom: those of `n` stand elsewhere and say something else."""
    fills = np.random.default_rng(n).uniform(size=(64, 4))
    return {
        ("a", "panel"): Block(Box(200, 200, 900, 500), fill="#202830", stroke="#808890"),
        ("a", "chip"): Block(Box(240 + 300 * n, 240, 180, 90), fill="#3060C0", radius=20),
        ("a", "dashes"): Block(Box(700, 480 + 90 * n, 210, 70), stroke="#C06030", dashed=True),
        ("a", "word"): Text(f"page {n}", (260 + 300 * n, 290), px=40, color="#FFFFFF"),
        ("a", "count"): Text(f"{n} of 7", (900, 640), px=32, color="#A0F0A0", face="mono"),
        ("a", "wire"): Line(np.array([(300, 400), (700, 400), (700, 600 + 40 * n)]), "#E0A020", curved=True, head=True),
        ("a", "cells"): Cells(grid_edges(Box(1200, 200, 400, 300), 64, 8, 3), fills, lines=fills[::-1], radius=4),
        ("a", "map"): Grid(Box(1200, 560, 400 + 150 * n, 300), 8, fills, seams=fills[:, 0]),
    }


@pytest.fixture
def drawing():
    """A screen, and what shows how much of its pixels is not as a whole drawing has them."""
    with rehearsing(PREVIEW):
        screen, other = Screen(FilmCamera()), FilmCamera()

        def off(mobjects):
            other.reset()
            other.capture_mobjects(mobjects)
            return int(np.abs(screen.camera.pixel_array.astype(int) - other.pixel_array).max())

        yield screen, off


def test_every_moment_of_a_change_is_as_if_all_was_drawn(drawing):
    screen, off = drawing
    canvas = Canvas(WIDE)
    canvas.show(picture(0))
    assert screen.show([canvas]) == [Area(0, 0, PREVIEW.width, PREVIEW.height)] and off([canvas]) == 0
    drawn = []
    for n in (1, 2, 0):
        change = Change(canvas, picture(n))
        change.begin()
        for share in np.linspace(0, 1, 14):
            change.interpolate(share)
            drawn.append(sum(area.size for area in screen.show([canvas])))
            assert off([canvas]) == 0
        change.finish()
        screen.show([canvas])
        assert off([canvas]) == 0
    assert 0 < max(drawn) < PREVIEW.width * PREVIEW.height


def test_what_has_not_changed_is_not_drawn(drawing):
    screen, off = drawing
    canvas = Canvas(WIDE)
    canvas.show(picture(0))
    screen.show([canvas])
    drawn = screen.drawn
    canvas.show(picture(0))
    assert screen.show([canvas]) == [] and screen.drawn == drawn
    canvas.show(picture(0) | {("a", "count"): Text("6 of 7", (900, 640), px=32, color="#A0F0A0", face="mono")})
    (area,) = screen.show([canvas])
    assert area.size < 0.02 * PREVIEW.width * PREVIEW.height and off([canvas]) == 0


def test_what_goes_and_what_is_drawn_in_another_order_is_seen(drawing):
    screen, off = drawing
    canvas = Canvas(WIDE)
    canvas.show(picture(0))
    screen.show([canvas])
    canvas.show({key: atom for key, atom in reversed(picture(0).items()) if key[1] != "wire"})
    assert screen.show([canvas]) and off([canvas]) == 0
    assert screen.show([]) and off([]) == 0


def test_mobjects_of_manims_own_are_drawn_whenever_they_are_shown(drawing):
    screen, off = drawing
    circle = Circle(color="#FF0000", fill_opacity=0.5)
    screen.show([Group(circle)])
    circle.shift([1.0, 0.5, 0.0])
    assert screen.show([circle]) and off([circle]) == 0


def test_areas_that_meet_are_drawn_as_one_and_others_apart():
    near, touching, far = Area(0, 0, 10, 10), Area(8, 8, 20, 20), Area(200, 200, 210, 210)
    assert set(apart([near, touching, far])) == {Area(0, 0, 20, 20), far}
    assert apart([near, near]) == [near] and apart([]) == []
    assert apart([Area(40 * i, 0, 40 * i + 2, 2) for i in range(60)]) == [Area(0, 0, 2362, 2)]


def test_frames_of_a_film_are_as_if_each_was_drawn_whole(two_requests, monkeypatch):
    shown = Screen.show
    compared = []

    def show(self, mobjects):
        areas = shown(self, mobjects)
        whole = FilmCamera()
        whole.capture_mobjects(mobjects)
        compared.append(np.array_equal(whole.pixel_array, self.camera.pixel_array))
        return areas

    monkeypatch.setattr(Screen, "show", show)
    with rehearsing(TINY):
        scene = TinyFilm(trace=two_requests, quality=TINY)
        assert isinstance(scene.renderer, FilmRenderer)
        scene.render()
    assert len(compared) > 20 and all(compared)
