"""A deck for PowerPoint, Keynote and Google Slides: a slide for each clip, which fills it."""

from pathlib import Path
from typing import Any

from astrai_sim.files import whole
from scenes.decks.deck import Deck

INCHES_HIGH = 7.5
"""Of a slide: 16:9 is then 13.333 inches wide, as PowerPoint has it."""


def write_pptx(deck: Deck, output: Path, notes: bool = True) -> list[Path]:
    """Write `deck` to `output`; each video is stored once. Without `notes` for Keynote, which refuses such files.

    Raises OSError where the file cannot be written.
    """
    import pptx
    from pptx.dml.color import RGBColor
    from pptx.util import Inches, Pt

    presentation: Any = pptx.Presentation()
    high = Inches(INCHES_HIGH)
    wide = int(high * deck.width / deck.height)
    presentation.slide_width, presentation.slide_height = wide, high
    blank = presentation.slide_layouts[6]
    for slide in deck.slides:
        page = presentation.slides.add_slide(blank)
        page.background.fill.solid()
        page.background.fill.fore_color.rgb = RGBColor.from_string(deck.ground.removeprefix("#"))
        if slide.video is not None:
            movie: Any = page.shapes.add_movie(
                str(slide.video), 0, 0, wide, high, poster_frame_image=str(slide.first), mime_type="video/mp4"
            )
            movie.name = slide.title
            movie._element.nvPicPr.cNvPr.set("descr", slide.alt)
        else:
            box = page.shapes.add_textbox(wide // 12, high // 3, wide - wide // 6, high // 2)
            box.text_frame.word_wrap = True
            for place, (text, size) in enumerate(((slide.title, 54), (slide.text, 28))):
                line = box.text_frame.paragraphs[0] if place == 0 else box.text_frame.add_paragraph()
                run = line.add_run()
                run.text, run.font.size, run.font.bold = text, Pt(size), place == 0
                run.font.color.rgb = RGBColor.from_string(deck.ink.removeprefix("#"))
        if notes and slide.notes:
            page.notes_slide.notes_text_frame.text = slide.notes
    presentation.core_properties.title = deck.title
    with whole(output) as partial:
        presentation.save(str(partial))
    return [output]
