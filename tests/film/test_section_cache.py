"""After a change, the sections that it touches are asked for anew."""

from dataclasses import replace
from pathlib import Path

import pytest

from scenes.cli.arguments import size_named
from scenes.draw.layout import UPRIGHT
from scenes.film import kept
from scenes.film.quality import FINAL, Quality
from scenes.film.rehearsal import rehearse
from tests.film.tiny import TINY, Reworded, TinyFilm


@pytest.fixture(scope="module")
def rehearsal(two_requests):
    return rehearse(TinyFilm, two_requests)


def clips(rehearsal, quality=TINY, folder=Path("clips")):
    return {r.section.key: kept.clip_path(folder, rehearsal, r, quality) for r in rehearsal.sections}


def test_the_same_film_asks_for_the_same_clips(rehearsal, two_requests):
    again = rehearse(TinyFilm, two_requests)
    assert clips(again) == clips(rehearsal)


def test_a_reworded_caption_touches_its_section_and_the_next_which_begins_with_it(rehearsal, two_requests):
    before = clips(rehearsal)
    after = clips(rehearse(Reworded, two_requests))
    assert {key for key in before if before[key] != after[key]} == {"two", "three"}


def test_a_changed_source_touches_every_section(rehearsal, tmp_path, monkeypatch):
    package = Path(kept.__file__).parents[1]
    assert kept.SOURCES[0] == package and (package / "parts" / "pool.py").is_file()
    seen = []
    for name, text in (("a.py", "SIZE = 1"), ("a.py", "SIZE = 2"), ("b.py", "SIZE = 2")):
        copy = tmp_path / str(len(seen))
        (copy / "draw").mkdir(parents=True)
        (copy / "draw" / name).write_text(text)
        monkeypatch.setattr(kept, "SOURCES", (copy,))
        seen.append(clips(rehearsal))
    assert all(len({asked[key] for asked in seen}) == len(seen) for key in seen[0])


def test_another_trace_touches_every_section(rehearsal, record_scenario):
    others = clips(rehearse(TinyFilm, record_scenario("crowded")))
    assert not set(others.values()) & set(clips(rehearsal).values())


def test_size_and_rate_ask_for_other_clips_and_a_name_does_not(rehearsal):
    for other in (Quality("tiny", 640, 360, 10), Quality("tiny", 320, 180, 15)):
        assert not set(clips(rehearsal, other).values()) & set(clips(rehearsal).values())
    assert clips(rehearsal, Quality("180p10", 320, 180, 10)) == clips(rehearsal)


def test_what_films_clips_decks_and_promos_are_asked_for_by_default_is_the_same(rehearsal):
    asked = replace(size_named("1080p"), fps=FINAL.fps)
    assert clips(rehearsal, asked) == clips(rehearsal, FINAL)
    assert clips(rehearsal, asked.shaped(UPRIGHT)) == clips(rehearsal, FINAL.shaped(UPRIGHT))


def test_old_generations_are_pruned(tmp_path):
    import os

    for age in range(10):
        path = tmp_path / f"clip-{age}.mp4"
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    kept.prune(tmp_path, section_keys=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"clip-{i}.mp4" for i in range(6)]
