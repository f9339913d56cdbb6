"""Captions of two lines are of about the same width, without a word left alone."""

import pytest

from scenes import theme
from scenes.draw import fonts
from scenes.old.mobjects.caption import balanced

FACE = ("sans-medium", theme.BODY)


@pytest.mark.parametrize(
    "text, width",
    [
        ("In this run every decode step reads all the pages its requests have filled.", 1000),
        ("A caption that is some letters too long for the line that it was given, and wraps.", 1100),
    ],
)
def test_no_word_is_left_alone(text, width):
    first, second = balanced(text, *FACE, width)
    assert f"{first} {second}" == text
    assert max(fonts.width(line, *FACE) for line in (first, second)) <= width
    assert len(second.split()) > 2
    assert fonts.width(second, *FACE) > 0.5 * fonts.width(first, *FACE)


def test_a_line_rather_ends_at_a_comma():
    text = "This policy decodes the requests at one position, oldest first, then the others."
    assert balanced(text, *FACE, 900)[0] == "This policy decodes the requests at one position,"


def test_one_line_stays_one_and_three_are_refused():
    assert balanced("Short.", *FACE, 500) == ["Short."]
    with pytest.raises(ValueError, match="two lines"):
        balanced("word " * 40, *FACE, 300)
