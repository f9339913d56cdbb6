"""Rows of tokens fit their box, in order, or say what is left out."""

import pytest
from coloraide import Color

from scenes import theme
from scenes.draw.layout import Box
from scenes.old.mobjects.token_layout import LARGEST, SMALLEST, PageText, TokenLayout
from scenes.old.mobjects.transcript import CONTROL, ground
from scenes.story.pieces import shown_piece

BOX = Box(100, 134, 1272, 786)


def pages(count, size, word=" word"):
    pieces = [shown_piece(f"{word}{i}") for i in range(count)]
    return [PageText(i // size, i, tuple(pieces[i : i + size])) for i in range(0, count, size)]


def boxes_of(layout):
    return [box for person in layout.persons for row in person.rows for box in row.boxes]


def told(person):
    """(logical page, tokens shown, tokens cut) of each row."""
    return [(row.logical, len(row.boxes), row.cut) for row in person.rows]


@pytest.mark.parametrize(
    ("persons", "tokens", "size"),
    [(1, 5, 16), (1, 64, 16), (3, 110, 16), (4, 300, 16), (2, 180, 64), (4, 2000, 256), (1, 40, 1)],
)
def test_all_stand_in_the_box_and_apart(persons, tokens, size):
    layout = TokenLayout.fit({f"P{i}": pages(tokens, size) for i in range(persons)}, BOX)
    assert layout.bottom <= BOX.bottom
    boxes = boxes_of(layout)
    for box in boxes:
        assert box.x >= BOX.x and box.right <= BOX.right
        assert box.y >= BOX.y and box.bottom <= BOX.bottom
    ordered = sorted(boxes, key=lambda box: (box.y, box.x))
    for box, following in zip(ordered, ordered[1:], strict=False):
        assert following.x >= box.right or following.y >= box.bottom


@pytest.mark.parametrize(("persons", "tokens", "size"), [(4, 300, 16), (4, 2000, 256)])
def test_nothing_is_left_out_unsaid(persons, tokens, size):
    texts = {f"P{i}": pages(tokens, size) for i in range(persons)}
    for person in TokenLayout.fit(texts, BOX).persons:
        rows = told(person)
        assert {logical for logical, _, _ in rows} | {page.logical for page in person.folded} == set(
            range(-(-tokens // size))
        )
        for logical, shown, cut in rows:
            assert shown + cut == len(texts[person.task][logical].pieces)
        assert rows[-1][0] == (tokens - 1) // size, "the last page of text always stands"
        assert bool(person.folded) == (person.note is not None)


def test_little_text_is_set_large_and_much_text_small():
    assert TokenLayout.fit({"A": pages(20, 16)}, BOX).px == LARGEST
    assert TokenLayout.fit({n: pages(400, 16) for n in "ABC"}, BOX).px == SMALLEST


def test_a_word_wider_than_the_line_stays_on_a_line_of_its_own():
    layout = TokenLayout.fit({"A": pages(4, 4, "W" * 20)}, Box(0, 0, 500, 900))
    assert len({box.y for box in boxes_of(layout)}) == 4


@pytest.mark.parametrize("color", [*theme.TASK_COLORS, theme.CACHED])
def test_tokens_are_legible_on_every_page_colour_and_tell_kept_from_not(color):
    assert Color(CONTROL).contrast(ground(color)) >= 4.5
    assert Color(ground(color)).delta_e(theme.EMPTY, method="2000") >= 5
