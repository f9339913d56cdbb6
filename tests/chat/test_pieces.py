"""Every token leaves something visible that the fonts can draw."""

import pytest

from scenes.draw import fonts
from scenes.parts import words
from scenes.parts.words import readable
from scenes.story.conversation import LONGEST, shown_piece
from tests.chat.worded import PIECES


@pytest.mark.parametrize("piece", [*PIECES, " ", "\r\n", "a\u0301", "\u200d", "x" * 99, "\x00"])
def test_something_is_drawn(piece):
    shown = shown_piece(piece)
    assert len(fonts.shape(readable(shown.text), "sans").points)
    assert len(shown.text) <= LONGEST


@pytest.mark.parametrize(
    ("piece", "text", "spaced", "control"),
    [
        (" sky", "sky", True, False),
        ("istant", "istant", False, False),
        ("\n\n", "↵↵", False, True),
        ("  ", "␣␣", False, True),
        ("", "·", False, True),
        (" 日本", "□□", True, False),
        ("<|im_end|>", "end", True, True),
        ("y" * 30, "y" * (LONGEST - 1) + "…", False, False),
    ],
)
def test_form(piece, text, spaced, control):
    shown = shown_piece(piece)
    assert (readable(shown.text), shown.spaced, shown.control) == (text, spaced, control)


def test_a_role_is_drawn_too():
    (word,) = words._words("A", ["<|im_start|>", " 日本", "\n"], [])
    assert (word.n, word.text, word.face) == (3, "□□", "mono")
    assert len(fonts.shape(word.text, word.face).points)
