"""A promo is as long as it should be, of the moments that it names; what is wrong with one is said with its line."""

from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from astrai_sim.trace import Trace
from scenes.cli import main
from scenes.eviction import Eviction
from scenes.film import catalog
from scenes.film.cut import NoClip
from scenes.film.rehearsal import rehearse
from scenes.preemption import Preemption
from scenes.prefix_cache import PrefixCache
from scenes.prefix_sharing import PrefixSharing
from scenes.promos.cards import logo, qr
from scenes.promos.making import branded
from scenes.promos.moments import Movements, fitting, found, happening, shared
from scenes.promos.promo import read_promo
from scenes.theme import DARK
from tests.film.tiny import TINY, TinyFilm
from tests.trace.foreign import foreign
from tests.trace.recording import lines_of, written

SHIPPED = sorted((Path(__file__).parents[2] / "assets" / "promos").glob("*.toml"))
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'
RECT = '<rect width="9" height="9" fill="#ff0000"/>'
PROMO = """title = "Tiny"
subtitle = "a film of three parts"
logo = "logo.svg"
accent = "#FF3366"
length = 5
[[moment]]
film = "TinyFilm"
show = "one"
[[moment]]
film = "TinyFilm"
show = "takeaway"
[end]
text = "The end."
url = "https://example.org/x"
"""


@pytest.fixture
def folder(monkeypatch, tmp_path, two_requests):
    monkeypatch.setattr(catalog, "films", lambda: {"TinyFilm": TinyFilm})
    monkeypatch.setenv("ASTRAI_TRACE", str(two_requests))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logo.svg").write_text(SVG.format(RECT))
    return tmp_path


def promo(folder, text, *words):
    (folder / "p.toml").write_text(text)
    return CliRunner().invoke(main, ["promo", "p.toml", "-o", "p.mp4", "--size", "180p", "--fps", "10", *words])


def frames(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_it_is_as_long_as_it_should_be_with_its_cards(folder):
    done = promo(folder, PROMO)
    assert done.exit_code == 0, done.stderr
    seen = frames(folder / "p.mp4")
    assert len(seen) == pytest.approx(50, abs=2.5)
    accent = (seen[25][-1].astype(int) - (255, 51, 102)).__abs__().max(axis=1) < 60
    assert accent[:20].all() and accent.mean() == pytest.approx(26 / len(seen), abs=0.08), "no clock"
    with av.open(str(folder / "p.mp4")) as container:
        assert "film=TinyFilm section=one trace_sha256=" in container.metadata["comment"]
    assert np.ptp(seen[0]) > 150, "the first picture is empty"
    red = (seen[12][..., 0] > 200) & (seen[12][..., 1] < 80)
    assert red.mean() > 0.01, "no logo on the title card"
    white = (seen[-6].min(axis=2) > 230).mean()
    assert white > 0.02, "no QR code on the end card"


@pytest.mark.slow
def test_a_loop_ends_as_it_begins(folder):
    text = PROMO.split("[[moment]]", 1)
    moments = "[[moment]]" + text[1].split("[end]")[0]
    done = promo(folder, f'length = 4\nframe = "1:1"\nloop = true\n{moments}'.replace('"one"', '"two"'))
    assert done.exit_code == 1 and "choose more of them" in done.stderr
    more = "".join(
        f'[[moment]]\nfilm = "TinyFilm"\nshow = "{name}"\n' for name in ("one", "two", "three", "one", "two", "three")
    )
    done = promo(folder, f'length = 4\nframe = "1:1"\nloop = true\n{more}')
    assert done.exit_code == 0, done.stderr
    seen = frames(folder / "p.mp4")
    assert seen[0].shape[0] == seen[0].shape[1]
    assert ssim(seen[0], seen[-1]) >= 0.999 and ssim(seen[0], seen[len(seen) // 2]) < 0.99


def ssim(one, other, side=8):
    """Structural similarity of two pictures' lightness, the mean over blocks (Wang et al. 2004, equation 13)."""
    blocks = []
    for picture in (one, other):
        gray = picture.astype(float).mean(axis=2)
        high, wide = (size // side for size in gray.shape)
        cut = gray[: high * side, : wide * side].reshape(high, side, wide, side)
        blocks.append(cut.transpose(0, 2, 1, 3).reshape(-1, side * side))
    a, b = blocks
    mean_a, mean_b, c1, c2 = a.mean(axis=1), b.mean(axis=1), (0.01 * 255) ** 2, (0.03 * 255) ** 2
    both = ((a - mean_a[:, None]) * (b - mean_b[:, None])).mean(axis=1)
    found = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    return (found / ((mean_a**2 + mean_b**2 + c1) * (a.var(axis=1) + b.var(axis=1) + c2))).mean()


@pytest.mark.parametrize(
    "film, name, key",
    [(PrefixCache, "hook", "hook"), (PrefixCache, "growth", "growth"), (PrefixCache, "A LEAVES", "release")],
)
def test_moments_are_found_by_name_key_and_title(film, name, key):
    assert found(rehearse(film), name).section.key == key


def test_growth_is_found_in_runs_without_phases():
    less = written(foreign(lines_of(Trace.open(PrefixCache.trace_for(None))), phases={}.get))
    assert found(rehearse(PrefixCache, less), "growth").section.key == "growth"


@pytest.mark.slow
def test_moments_are_where_it_happens():
    assert found(rehearse(Preemption), "preemption").section.key in ("out", "refused", "hook")
    assert "evict" in found(rehearse(Eviction), "eviction").section.key
    assert found(rehearse(PrefixSharing), "sharing").section.start >= -1
    with pytest.raises(NoClip, match="nothing of eviction happens in Preemption"):
        found(rehearse(Preemption), "eviction")
    with pytest.raises(NoClip, match="no moment 'grwth', did you mean growth"):
        found(rehearse(PrefixCache), "grwth")


def test_time_is_shared_by_weight_and_by_what_there_is():
    assert shared(10.0, [1, 1], [20, 20]) == [5, 5]
    assert shared(10.0, [3, 1], [20, 20]) == [7.5, 2.5]
    assert shared(10.0, [1, 1, 2], [1, 20, 20]) == pytest.approx([1, 3, 6])
    assert shared(10.0, [1, 1], [2, 3]) == [2, 3]


def test_cuts_are_on_motion_and_whole_sentences_where_they_can_be():
    moving = Movements()
    whole = 0
    for played in rehearse(PrefixCache, observers=(moving,)).sections:
        spans, edges = moving.of[played.section.key], [0.0, *np.cumsum(played.beats)]
        for share in (0.3, 0.5, 0.7):
            nothing = [0.0] * len(played.beats)
            part = fitting(played, share * played.seconds, 0.2 * share * played.seconds, spans, nothing)
            assert part.seconds == pytest.approx(share * played.seconds, rel=0.2, abs=1)
            assert any(began <= part.start < end for began, end in spans), "begins in a picture that stands"
            assert any(began < part.end <= end + 1e-6 for began, end in spans), "ends in a picture that stands"
            whole += any(0 <= edge - part.end < 1.3 for edge in edges)
    assert whole > len(spans)


def test_a_named_moment_shows_what_it_is_named_for():
    moving = Movements()
    rehearsal = rehearse(PrefixCache, observers=(moving,))
    played = found(rehearsal, "growth")
    happens = happening(rehearsal, played, "growth")
    assert sum(happens) >= 1 and not any(happening(rehearsal, played, "hook"))
    edges = [0.0, *np.cumsum(played.beats)]
    comes = next(place for place, amount in enumerate(happens) if amount)
    for seconds in (6.0, 8.0, 10.0):
        part = fitting(played, seconds, 0.2 * seconds, moving.of["growth"], happens)
        assert part.start <= edges[comes] + 0.3 and part.end > edges[comes + 1] - 1.3, seconds


def test_a_qr_code_has_its_quiet_zone():
    image = np.asarray(qr("https://example.org").convert("L"))
    assert image.shape[0] == image.shape[1] and (image[:4] == 255).all() and (image[4, 4:11] == 0).all()


def test_an_accent_must_be_seen_and_be_no_hue():
    assert branded(DARK, "#FF3366").accent == "#FF3366"
    with pytest.raises(NoClip, match="contrast of 1.* at least 4.5"):
        branded(DARK, "#202020")
    with pytest.raises(NoClip, match="differs by only .* from the hue #FF9E14 in .*at least 15"):
        branded(DARK, "#FFA010")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_promos_are_right(path):
    read_promo(path)
    assert len(SHIPPED) == 3


@pytest.mark.parametrize(
    "change, says",
    [
        (("length = 5", "length = 500"), "p.toml:5: length: from 4 to 180 seconds"),
        (("length = 5", "lenght = 5"), "p.toml"),
        (("#FF3366", "yellow"), "p.toml:4: accent: write a colour as #37A5FB"),
        (("#FF3366", "#FF9E14"), "p.toml:4: the accent #FF9E14 differs by only 0.0 from the hue #FF9E14"),
        (("logo.svg", "none.svg"), "p.toml:3: logo: no file none.svg lies beside it"),
        (("logo.svg", "p.toml"), "p.toml:3: logo: give an SVG or a PNG"),
        (("TinyFilm", "TinyFlim"), "p.toml:6: no film is called 'TinyFlim', did you mean TinyFilm?"),
        (('"takeaway"', '"end"'), "p.toml:9: TinyFilm has no moment 'end'"),
        (('show = "one"', "show = 3"), "p.toml:6: Expected `str`, got `int`"),
        (("length = 5", "length = 90"), "p.toml:5: its moments last"),
        (("length = 5", "length = 5\nloop = true"), "p.toml:6: loop: a loop has no title and no end card"),
        (("[end]", "[end"), "p.toml:12: Expected ']' at the end of a table declaration"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_nothing_is_written(folder, change, says):
    done = promo(folder, PROMO.replace(*change, 1))
    assert done.exit_code == 1 and done.stderr.count("\n") == 1 and says in done.stderr, done.stderr
    assert not (folder / "p.mp4").exists()


@pytest.mark.parametrize(
    "drawn",
    [
        RECT,
        '<style>.a {fill: rgb(255, 0, 0)}</style><path class="a" d="M0 0h9v9h-9z"/>',
        '<linearGradient id="g"><stop stop-color="#f00"/></linearGradient><rect width="9" height="9" fill="url(#g)"/>',
        '<g transform="scale(3)"><circle id="c" cx="1" cy="1" r="1" fill="red"/><use href="#c" x="1" y="1"/></g>',
        '<text y="8" font-family="Inter" font-size="9" fill="red">M</text>',
    ],
    ids=["shape", "style", "gradient", "uses", "text"],
)
def test_logos_are_drawn_whatever_they_are_made_of(tmp_path, drawn):
    (tmp_path / "logo.svg").write_text(SVG.format(drawn))
    seen = np.asarray(logo(tmp_path / "logo.svg", TINY))
    red = (seen[..., 0] > 200) & (seen[..., 1] < 60) & (seen[..., 3] > 200)
    assert 60 <= max(seen.shape[:2]) <= 91 and red.mean() > 0.3


@pytest.mark.parametrize(
    "name, content, says",
    [
        ("logo.svg", "<svg", "p.toml:3: logo: logo.svg cannot be drawn"),
        ("logo.svg", SVG.format(""), "p.toml:3: logo: logo.svg draws nothing"),
        ("logo.png", "no picture", "p.toml:3: logo: logo.png cannot be drawn"),
    ],
)
def test_what_is_no_logo_is_refused_with_its_line(folder, name, content, says):
    (folder / name).write_text(content)
    done = promo(folder, PROMO.replace("logo.svg", name))
    assert done.exit_code == 1 and done.stderr.count("\n") == 1 and says in done.stderr, done.stderr
    assert not (folder / "p.mp4").exists()


@pytest.mark.slow
def test_a_logo_as_png(folder):
    Image.new("RGBA", (40, 20), (255, 0, 0, 255)).save(folder / "logo.png")
    done = promo(folder, PROMO.replace("logo.svg", "logo.png"))
    assert done.exit_code == 0, done.stderr
    seen = frames(folder / "p.mp4")[12]
    assert ((seen[..., 0] > 200) & (seen[..., 1] < 80)).mean() > 0.01
