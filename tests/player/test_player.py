"""A film's page: what it says of a moment is what the trace says, and film and events are linked both ways."""

import shutil
import subprocess

import pytest
from click.testing import CliRunner

from scenes.cli import main
from scenes.eviction import Eviction
from scenes.film import catalog
from scenes.film.cut import cut
from scenes.film.rehearsal import rehearse
from scenes.film.render import render_film
from scenes.opening import Opening
from scenes.player.page import write_player
from scenes.player.told import LONGEST, MANY, Told, described, line, listed, shown_at
from tests.decks.browser import browser
from tests.film.tiny import TINY, TinyFilm

__all__ = ["browser"]
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module")
def eviction():
    told = Told()
    return told, rehearse(Eviction, observers=(told,))


@pytest.fixture(scope="module")
def made(two_requests, tmp_path_factory):
    folder, told = tmp_path_factory.mktemp("page"), Told()
    film = render_film(TinyFilm, two_requests, TINY, folder / "film.mp4", media=folder / "media")
    rehearsal = rehearse(TinyFilm, two_requests, observers=(told,), quality=TINY)
    sections = cut(rehearsal, TINY.fps)
    assert write_player("A <film>", film.path, sections, told, TINY, folder / "p.html") == [folder / "p.html"]
    return folder / "p.html", told, sections, film.path


def test_moments_follow_the_film(eviction):
    told, rehearsal = eviction
    times = [moment.time for moment in told.moments]
    assert times == sorted(times) and times[-1] <= rehearsal.seconds
    assert all(moment.began <= moment.time for moment in told.moments)
    assert {moment.seq for moment in told.moments} >= {
        shot.until for section in rehearsal.scene.storyboard.sections for shot in section.beats
    }
    assert shown_at(told.moments, 0.0) == told.moments[0]
    assert shown_at(told.moments, rehearsal.seconds) == told.moments[-1]


def test_time_lapses_show_the_steps_on_the_way(eviction):
    told, _ = eviction
    assert sum(moment.began == moment.time for moment in told.moments) > 20


def test_events_are_told_when_the_film_comes_to_them(eviction):
    told, _ = eviction
    (times,) = told.times()
    for seq, time in times.items():
        assert any(moment.seq >= seq and moment.began <= time + 2e-3 for moment in told.moments)
    assert set(times) == set(range(min(times), max(times) + 1)), "what lies before the last moment was passed"


@pytest.mark.slow
def test_each_trace_has_its_own_events():
    told = Told()
    rehearse(Opening, observers=(told,))
    assert len(told.traces) == 4 and len(told.times()) == 4
    assert all(told.times())
    (big,) = (trace for trace in told.traces if len(trace) > 10_000)
    assert 0 < len(listed(big)) <= MANY
    assert all("\n" not in line(event) and len(line(event)) <= LONGEST for event in listed(big))
    assert "requests" in described(big.state_at(len(big) // 2))["tables"]


def test_a_state_as_text(two_requests):
    from astrai_sim.trace import Trace

    trace = Trace.open(two_requests)
    for seq in range(0, len(trace), 7):
        state, said = trace.state_at(seq), described(trace.state_at(seq))
        assert said["free mask"].startswith(f"{state.mask:0{state.n_pages}b}")
        assert said["refs"] == " ".join(str(ref) for ref in state.refs)
        assert said["tables"] == ("\n".join(f"{t}: {p}" for t, p in state.tables.items()) or "none")


@pytest.fixture(scope="module", params=SIZES)
def page(request, made, browser):
    width, height = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": height})
    shown = context.new_page()
    shown.asked, shown.wrong = [], []
    shown.on("request", lambda asked: shown.asked.append(asked.url))
    shown.on("pageerror", lambda error: shown.wrong.append(str(error)))
    shown.goto(made[0].as_uri())
    shown.wait_for_function("() => video.readyState >= 2")
    yield shown
    assert shown.wrong == []
    context.close()


def at(page):
    return page.evaluate("video.currentTime")


def state_of(page):
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#state dt')]"
        ".map((title) => [title.innerText, title.nextSibling.innerText]))"
    )


def seek(page, time):
    page.evaluate(f"seek({time})")
    page.wait_for_function("() => !video.seeking")
    page.wait_for_timeout(100)


def test_it_plays_and_follows(page):
    page.evaluate("video.muted = true; video.play()")
    page.wait_for_function("() => video.currentTime > 0.5")
    page.evaluate("video.pause()")
    page.wait_for_function("() => location.hash.startsWith('#t=')")
    assert page.inner_text("#said") != ""


def test_time_shows_its_event_and_state(page, made):
    told = made[1]
    for moment in told.moments[1:]:
        seek(page, moment.time + 0.01)
        assert page.inner_text("#seq") == str(shown_at(told.moments, moment.time + 0.01).seq)
        assert state_of(page) == described(told.traces[0].state_at(int(page.inner_text("#seq"))))
        assert page.evaluate("marked.event.textContent").startswith(f"#{page.inner_text('#seq')} ")


def test_an_event_goes_to_its_time(page, made):
    (times,) = made[1].times()
    seq = max(times) - 3
    page.locator("#events button", has_text=f"#{seq} ").first.click()
    page.wait_for_function("() => !video.seeking")
    assert at(page) == pytest.approx(times[seq], abs=0.02)


def test_chapters_sentences_and_keys(page, made):
    sections = made[2]
    page.locator("#chapters button").nth(1).click()
    page.wait_for_function("() => !video.seeking")
    assert at(page) == pytest.approx(sections[1].start, abs=0.02)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("PageDown")
    page.wait_for_function("() => !video.seeking")
    assert at(page) == pytest.approx(sections[2].start, abs=0.02)
    page.locator("#lines button").first.click()
    page.wait_for_function("() => !video.seeking")
    assert at(page) == pytest.approx(0.0, abs=0.1) and page.inner_text("#said") == "First."
    before = at(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(".")
    page.wait_for_function("() => !video.seeking")
    assert at(page) > before


def test_a_link_opens_its_moment(page, made):
    page.goto(made[0].as_uri() + "#t=0.9")
    page.reload()
    page.wait_for_function("() => video.readyState >= 2 && !video.seeking")
    assert at(page) == pytest.approx(0.9, abs=0.05)


def test_it_fits_and_asks_nothing_of_anywhere(page):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.asked and all(url.startswith(("file:", "blob:", "data:")) for url in page.asked)


def test_a_film_beside_its_page(made, tmp_path):
    _, told, sections, film = made
    page, video = write_player("T", film, sections, told, TINY, tmp_path / "x.html", beside=True)
    assert video.read_bytes() == film.read_bytes() and page.stat().st_size < made[0].stat().st_size
    assert '"x.mp4"' in page.read_text()


def test_the_command(monkeypatch, tmp_path, two_requests):
    from scenes.film.quality import QUALITIES

    monkeypatch.setattr(catalog, "films", lambda: {"TinyFilm": TinyFilm})
    monkeypatch.setitem(QUALITIES, "preview", TINY)
    monkeypatch.setenv("ASTRAI_TRACE", str(two_requests))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["embed", "TinyFilm", "--quality", "preview"])
    assert done.exit_code == 0 and done.stdout == "media/pages/TinyFilm.html\n", done.stderr
    assert "TinyFilm: Two short requests" in (tmp_path / "media/pages/TinyFilm.html").read_text()
    wrong = CliRunner().invoke(main, ["embed", "TinyFilm", "-o", "page.mp4"])
    assert wrong.exit_code == 2 and "name it page.html" in wrong.stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm, which brings axe-core, is not installed")
@pytest.mark.parametrize("size", SIZES)
def test_axe_has_nothing_serious_to_say(made, browser, tmp_path, size):
    subprocess.run(["npm", "pack", "--silent", "axe-core@4"], cwd=tmp_path, check=True, capture_output=True)
    (pack,) = tmp_path.glob("axe-core-*.tgz")
    shutil.unpack_archive(pack, tmp_path / "axe")
    width, height = SIZES[size]
    page = browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True).new_page()
    page.goto(made[0].as_uri())
    page.evaluate((tmp_path / "axe" / "package" / "axe.min.js").read_text())
    found = page.evaluate("axe.run()")["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    page.close()
