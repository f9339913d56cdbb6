"""When key frames come: where enough has come to rest, and not too often."""

from fractions import Fraction

import numpy as np
import pytest

from scenes.draw.screen import Area
from scenes.film.keys import BLOCK, LONGEST_S, REST_S, SHARE, SHORTEST_S, WORTH, Keys

W, H, FPS = 320, 180, Fraction(60)
EARLY, LATE, AT_REST = int(SHORTEST_S * FPS), int(LONGEST_S * FPS), int(REST_S * FPS)


def changed(keys, frame, area):
    keys.change(frame, area, np.ones((area.bottom - area.top, area.right - area.left), bool))


def stream(*moves, size=1000, others=1000, length=LATE):
    """The frames that are due in a stream of that length: each of `moves` is an area that changes from a frame on."""
    keys, found = Keys(W, H, FPS), []
    for frame in range(length):
        for at, area in moves:
            if at == frame:
                changed(keys, frame, area)
        if due := keys.due(frame, fresh=False):
            found.append(frame)
        keys.told(frame, size if due or not frame else others, key=due or not frame)
    return found


HALF, DOT = Area(0, 0, W // 2, H), Area(0, 0, 2 * BLOCK, 2 * BLOCK)


def test_a_key_frame_shows_what_has_come_to_rest_once():
    assert DOT.size < SHARE * W * H < HALF.size
    assert stream((100, HALF)) == [100 + AT_REST]
    assert stream((100, DOT)) == []


def test_what_moves_on_is_not_at_rest():
    moving = [(frame, HALF) for frame in range(100, 140)]
    assert stream(*moving) == [139 + AT_REST]


def test_none_follows_another_at_once():
    assert stream((1, HALF)) == [EARLY]
    first = 100 + AT_REST
    assert stream((100, HALF), (first + 1, HALF)) == [first, first + EARLY]


def test_none_comes_before_as_much_was_spent_otherwise():
    dear = stream((100, HALF), size=round(200_000 / WORTH), others=1000)
    assert dear == [201]


def test_only_pixels_that_differ_count_wherever_blocks_begin():
    keys, area = Keys(W, H, FPS), Area(10, 6, 50, 40)
    differs = np.zeros((34, 40), bool)
    differs[0, 0] = differs[33, 39] = True
    keys.change(7, area, differs)
    rows, columns = np.nonzero(keys.moved == 7)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 0), (39 // BLOCK, 49 // BLOCK)]
    changed(keys, 8, Area(0, 0, W, H))
    assert (keys.moved == 8).all()


@pytest.mark.parametrize(("fresh", "due"), [(True, True), (False, False)])
def test_long_after_the_last_the_next_picture_that_changes_is_one(fresh, due):
    keys = Keys(W, H, FPS)
    keys.told(0, 1000, key=True)
    assert not keys.due(LATE - 1, fresh) and keys.due(LATE, fresh) is due
