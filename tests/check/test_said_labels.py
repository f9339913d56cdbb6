"""Labels keep what they were given to say: wrapped, shortened and swapped texts too."""

from scenes.draw import fonts
from scenes.draw.atoms import Text
from scenes.draw.drawn import drawn
from scenes.draw.layout import WIDE
from scenes.measures import measure, say
from scenes.measures.forms import number_text
from scenes.parts.question import balanced

FREE = measure("pool.free", 1234)


def test_a_label_keeps_the_measures_of_its_text():
    label = drawn(Text(text=say("{} free", FREE), at=(0, 0), color="#FFFFFF"), WIDE)
    assert label.text == "1,234 free" and label.said.measures == (FREE,)
    label.set_text("none free")
    assert label.said is None


def test_a_text_that_is_told_another_keeps_its_measures():
    label = drawn(Text(text="", at=(0, 0), color="#FFFFFF"), WIDE)
    label.say(Text(text=say("{} free", FREE), at=(0, 0), color="#FFFFFF"))
    assert label.said.measures == (FREE,)


def test_every_line_of_a_caption_has_its_own_measures():
    said = say(
        "{n} pages are free and nobody waits for them, so that the next of {m} requests gets its own", n=FREE, m=FREE
    )
    lines = said.lines(balanced(said, "sans-medium", 31, 900))
    assert len(lines) == 2 and " ".join(lines) == said
    assert [line.measures for line in lines] == [(FREE,), (FREE,)]


def test_a_title_cut_in_the_middle_keeps_the_measures_left_in_it():
    title = fonts.fit(say("{n} of a great many pages that nobody holds {n}", n=FREE), "sans-bold", 31, 500)
    assert "…" in title and len(title.measures) == 2


def test_numbers_are_whole_or_to_three_figures():
    texts = [number_text(v) for v in (0, 384, 12_288, 31.274, 0.5, 1234.5)]
    assert texts == ["0", "384", "12,288", "31.3", "0.5", "1,234"]


def test_a_text_that_fits_is_itself():
    said = say("{} free", FREE)
    assert fonts.fit(said, "sans", 20, 900) is said
    assert fonts.fit("a long plain text", "sans", 20, 90) != "a long plain text"
