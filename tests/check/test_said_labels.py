"""Labels keep what they were given to say: wrapped, shortened and swapped texts too."""

from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import measure, say
from scenes.old.animations import SwapText
from scenes.old.mobjects.caption import CaptionText
from scenes.old.mobjects.header import ChapterTitle

FREE = measure("pool.free", 1234)


def test_a_label_keeps_the_measures_of_its_text():
    label = Label(say("{} free", FREE))
    assert label.text == "1,234 free" and label.said.measures == (FREE,)
    assert label.set_text("none free").said is None


def test_a_swapped_text_keeps_its_measures():
    label = Label("")
    swap = SwapText(label, say("{} free", FREE))
    swap.begin()
    swap.finish()
    assert label.said.measures == (FREE,)


def test_every_line_of_a_caption_has_its_own_measures():
    said = say(
        "{n} pages are free and nobody waits for them, so that the next of {m} requests gets its own", n=FREE, m=FREE
    )
    lines = CaptionText(said, Box(0, 0, 900, 80)).submobjects
    assert len(lines) == 2 and " ".join(line.text for line in lines) == said
    assert [line.said.measures for line in lines] == [(FREE,), (FREE,)]


def test_a_title_cut_in_the_middle_keeps_the_measures_left_in_it():
    title = ChapterTitle(say("{n} of a great many pages that nobody holds {n}", n=FREE), Box(0, 0, 700, 60)).label
    assert "…" in title.text and title.said == title.text and len(title.said.measures) == 2


def test_a_text_that_fits_is_itself():
    said = say("{} free", FREE)
    assert fonts.fit(said, "sans", 20, 900) is said
    assert fonts.fit("a long plain text", "sans", 20, 90) != "a long plain text"
