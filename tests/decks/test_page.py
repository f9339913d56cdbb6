"""A deck's page in a browser: steps, loops, back, notes, paper, and nothing from anywhere."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from scenes.decks.deck import Deck, Slide
from scenes.decks.html import write_deck
from tests.decks.browser import SHADE, browser
from tests.film.test_join import clip

__all__ = ["browser"]
UP, DOWN, ROUND = range(40, 120, 4), range(200, 120, -4), [60, 60, 120, 180, 220, 180, 120, 60, 60, 60]


def slide(folder: Path, name: str, shades, looped: bool = False) -> Slide:
    video = clip(folder / f"{name}.mp4", shades, size=(160, 90))
    for which, shade in (("first", shades[0]), ("last", shades[-1])):
        Image.new("RGB", (160, 90), (shade,) * 3).save(folder / f"{name}.{which}.png")
    first, last = folder / f"{name}.first.png", folder / f"{name}.last.png"
    return Slide(f"Title {name}", f"Notes of {name}.", "", video, first, last, looped, f"What {name} shows")


@pytest.fixture(scope="module")
def deck(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deck")
    slides = (
        Slide("Where words live <1>", "Hello.", "A & B", alt="Where words live"),
        slide(folder, "up", [*UP]),
        slide(folder, "round", ROUND, looped=True),
        slide(folder, "down", [*DOWN]),
    )
    return Deck("A talk", (*slides, slides[1]), 160, 90, "#0D1117", "#EEF2F7")


@pytest.fixture(scope="module")
def page(deck, browser, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "talk.html"
    assert write_deck(deck, path) == [path]
    context = browser.new_context(viewport={"width": 640, "height": 360})
    shown = context.new_page()
    shown.asked = []
    shown.wrong = []
    shown.on("request", lambda request: shown.asked.append(request.url))
    shown.on("pageerror", lambda error: shown.wrong.append(str(error)))
    shown.goto(path.as_uri())
    yield shown
    assert shown.wrong == []
    context.close()


def press(page, key, then=0.4):
    page.keyboard.press(key)
    page.wait_for_timeout(then * 1000)


def until(page, what):
    """Wait for a condition on `shade`, the grey that is shown."""
    page.wait_for_function(f"() => {{ const shade = ({SHADE})(); return {what}; }}", timeout=20_000)


def test_keys_step_and_clips_come_to_rest(page):
    press(page, "Home")
    assert page.evaluate(SHADE) == -1 and page.inner_text("#words h1") == "Where words live <1>"
    press(page, "PageDown", 0)
    until(page, "shade >= 36 && shade < 100")
    until(page, "Math.abs(shade - 116) < 6")
    assert page.url.endswith("#2")
    press(page, "ArrowRight")
    press(page, " ", 0)
    until(page, "shade > 120")
    assert page.url.endswith("#4")
    for _ in range(3):
        press(page, "Enter", 0.1)
    assert page.url.endswith("#5")


def test_back_shows_where_the_slide_before_came_to_rest(page):
    press(page, "Home")
    press(page, "PageDown", 0.1)
    press(page, "PageDown", 0.1)
    press(page, "PageUp", 0)
    until(page, "Math.abs(shade - 116) < 4")
    assert page.url.endswith("#2")
    press(page, "r", 0)
    until(page, "shade >= 36 && shade < 100")
    press(page, "PageUp")
    assert page.evaluate(SHADE) == -1


def test_a_loop_goes_round_until_the_next_press(page):
    page.goto(page.url.split("#")[0] + "#3")
    page.reload()
    until(page, "shade > 0")
    seen = page.evaluate(
        """async () => {
          const read = SHADE, seen = [];
          let rounds = 0, bright = false;
          while (rounds < 3 && seen.length < 2000) {
            const now = read();
            if (now > 200 && !bright) rounds += 1;
            bright = now > 200 || (bright && now > 100);
            seen.push(now);
            await new Promise((next) => setTimeout(next, 20));
          }
          return { seen, rounds };
        }""".replace("SHADE", SHADE)
    )
    assert seen["rounds"] == 3, "it does not begin again"
    assert min(seen["seen"]) > 30, "it shows an empty frame at its seam"
    press(page, "PageDown", 0)
    until(page, "shade > 120")
    assert page.url.endswith("#4")


def test_notes_in_a_second_window(page):
    page.goto(page.url.split("#")[0] + "#2")
    page.reload()
    with page.expect_popup() as popup:
        page.keyboard.press("n")
    notes = popup.value
    assert "2 / 5" in notes.inner_text("#now") and notes.inner_text("#said") == "Notes of up."
    assert "Title round" in notes.inner_text("#next")
    press(page, "PageDown")
    assert notes.inner_text("#said") == "Notes of round."
    notes.keyboard.press("PageDown")
    page.wait_for_timeout(300)
    assert page.url.endswith("#4") and notes.inner_text("#said") == "Notes of down."
    notes.close()


def test_on_paper_it_is_a_page_for_each_slide(page, deck):
    pypdf = page.pdf(prefer_css_page_size=True)
    assert pypdf.count(b"/Type /Page\n") + pypdf.count(b"/Type /Page ") == len(deck.slides)


def test_nothing_is_asked_of_anywhere(page):
    assert page.asked and all(url.startswith(("file:", "blob:", "data:")) for url in page.asked)
    assert not any(url.endswith(".mp4") for url in page.asked)


def test_each_video_is_stored_once(deck, tmp_path):
    (inside,) = write_deck(deck, tmp_path / "talk.html")
    assert inside.read_text().count('<script type="text/plain"') == 3
    files = write_deck(deck, tmp_path / "other.html", beside=True)
    assert [path.relative_to(tmp_path).as_posix() for path in files[1:]] == [
        f"other_files/video-{n}.mp4" for n in range(3)
    ]
    assert files[0].stat().st_size < inside.stat().st_size


def test_videos_beside_the_page_play(deck, browser, tmp_path):
    path, *_ = write_deck(deck, tmp_path / "talk.html", beside=True)
    page = browser.new_page()
    page.goto(path.as_uri() + "#2")
    page.wait_for_timeout(600)
    with Image.open(BytesIO(page.screenshot())) as seen:
        assert seen.convert("L").getpixel((seen.width // 2, seen.height // 2)) >= 38
    page.close()


def test_who_wants_no_motion_gets_the_picture_that_it_comes_to(deck, browser, tmp_path):
    path, *_ = write_deck(deck, tmp_path / "talk.html")
    page = browser.new_context(reduced_motion="reduce").new_page()
    page.goto(path.as_uri() + "#2")
    page.wait_for_timeout(300)
    assert page.evaluate(SHADE) == pytest.approx(116, abs=3)
    page.close()
