"""A rehearsed film stops where it is asked to, and shows there what a rendering draws."""

import numpy as np
from manim import tempconfig

from scenes.draw import motion
from scenes.film.moments import evenly, every, within
from scenes.film.quality import rendering
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer
from tests.film.tiny import TINY, TinyFilm


class Points(Observer):
    """Keeps what stands on the scene at all moments and ends of sections, and the spans of animations."""

    def __init__(self):
        self.seen = {}
        self.ends = {}
        self.spans = []

    def moment(self, scene, time):
        assert scene.clock == time
        self.seen[time] = self._points(scene)

    def animation_ended(self, scene, began, moved):
        self.spans.append((began, scene.clock, moved))

    def section_ended(self, scene, section):
        self.ends[scene.clock] = self._points(scene)

    def _points(self, scene):
        members = [m for root in scene.mobjects for m in root.family_members_with_points()]
        return np.concatenate([np.ravel(part) for m in members for part in (m.points, getattr(m, "fill_rgbas", ()))])


def watched(trace, moments=None):
    points = Points()
    options = {} if moments is None else {"moments": moments}
    return points, rehearse(TinyFilm, trace, observers=(points,), **options).seconds


def test_moments_lie_within_every_animation(two_requests):
    points, _ = watched(two_requests, evenly(5))
    times = list(points.seen)
    assert times == sorted(times) and len(times) == 5 * len(points.spans)
    assert all(sum(began < time < ended for time in times) == 5 for began, ended, _ in points.spans)
    moving = [i for i, (_, _, moved) in enumerate(points.spans) if moved]
    pairs = [(points.seen[times[5 * i]], points.seen[times[5 * i + 4]]) for i in moving]
    assert any(not np.array_equal(a, b) for a, b in pairs)


def test_one_moment_lies_where_what_leaves_fades():
    assert np.allclose(list(within(2.0, 8.0)), [2.0 + motion.LEAVE / 2, 3, 4, 5, 6, 7])


def test_every_frame_once(two_requests):
    points, length = watched(two_requests, every(1 / 15))
    assert [round(time * 15) for time in points.seen] == list(range(int(np.ceil(length * 15 - 1e-9))))


def test_moments_change_neither_length_nor_ends(two_requests):
    (plain, length), (asked, same) = watched(two_requests), watched(two_requests, every(0.1))
    assert plain.seen == {} and length == same
    assert plain.ends.keys() == asked.ends.keys()
    assert all(np.allclose(plain.ends[time], asked.ends[time], atol=1e-6) for time in plain.ends)


def test_a_moment_is_drawn_as_the_frame_that_is_rendered(two_requests, tmp_path):
    drawn, rendered = {}, {}

    class Camera(Observer):
        plays = 0

        def moment(self, scene, time):
            camera = scene.renderer.camera
            camera.reset()
            camera.capture_mobjects(scene.mobjects)
            drawn.setdefault(self.plays, []).append(camera.pixel_array.copy())

        def animation_ended(self, scene, began, moved):
            self.plays += 1

    def frames(began, ended):
        return began + np.arange(0, ended - began, 1 / TINY.fps)

    with rendering(TINY, tmp_path), tempconfig({"dry_run": True}):
        scene = TinyFilm(trace=two_requests, rehearse=True, observers=(Camera(),), moments=frames)
        scene.setup()
        scene.construct()
        scene = TinyFilm(trace=two_requests)
        scene.renderer.add_frame = lambda frame, num_frames=1: rendered.setdefault(scene.renderer.num_plays, []).append(
            frame.copy()
        )
        scene.render()
    assert drawn.keys() == rendered.keys()
    for play, seen in rendered.items():
        assert len(seen) == 1 or abs(len(seen) - len(drawn[play])) <= 1
        for one, other in zip(seen, drawn[play], strict=False):
            assert (np.abs(one.astype(int) - other) > 2).mean() < 0.001


def test_a_film_that_nobody_watches_takes_as_long_and_has_no_mobjects(two_requests):
    unseen = rehearse(TinyFilm, two_requests)
    seen = rehearse(TinyFilm, two_requests, observers=(Points(),), moments=evenly(5))
    assert unseen.sections == seen.sections and unseen.seconds == seen.seconds
    assert unseen.scene.stage.canvas.atoms == seen.scene.stage.canvas.atoms
    assert seen.scene.stage.canvas.shown and not unseen.scene.stage.canvas.shown
