"""After a change, only the sections that it touches are asked for anew."""

from dataclasses import replace
from pathlib import Path

import pytest

from scenes.film.quality import Quality
from scenes.film.rehearsal import rehearse
from scenes.film.section_cache import SectionCache
from tests.film.tiny import TINY, Reworded, TinyFilm


@pytest.fixture(scope="module")
def rehearsal(two_requests):
    return rehearse(TinyFilm, two_requests, note_sources=True)


def clips(rehearsal, quality=TINY, folder=Path("clips")):
    cache = SectionCache(folder)
    return {r.section.key: cache.clip(rehearsal, r, quality) for r in rehearsal.sections}


def names(rehearsed):
    return {path.name for path in rehearsed.sources}


def test_the_same_film_asks_for_the_same_clips(rehearsal, two_requests):
    again = rehearse(TinyFilm, two_requests, note_sources=True)
    assert clips(again) == clips(rehearsal)


def test_a_reworded_caption_touches_its_section_only(rehearsal, two_requests):
    before = clips(rehearsal)
    after = clips(rehearse(Reworded, two_requests, note_sources=True))
    assert {key for key in before if before[key] != after[key]} == {"two"}


def test_sources_are_those_that_the_section_ran(rehearsal):
    one, _, three = rehearsal.sections
    for rehearsed in (one, three):
        assert {"stage.py", "pool.py", "caption.py", "scene.py"} <= names(rehearsed)
        assert not any("test" in path.parts[-2:] for path in rehearsed.sources)
    assert "code.py" in names(three)
    assert "code.py" not in names(one)
    assert "prefix_cache.py" not in names(one)


def test_a_changed_source_touches_the_sections_that_ran_it(rehearsal, tmp_path):
    source = tmp_path / "mobject.py"
    one = rehearsal.sections[0]
    one = replace(one, sources=one.sources | {source})
    cache = SectionCache(tmp_path)
    source.write_text("SIZE = 1")
    before = cache.clip(rehearsal, one, TINY)
    source.write_text("SIZE = 2")
    assert cache.clip(rehearsal, one, TINY) != before


def test_quality_is_part_of_the_name(rehearsal):
    other = clips(rehearsal, Quality("tiny", 640, 360, 10))
    assert not set(other.values()) & set(clips(rehearsal).values())


def test_a_constant_read_from_another_module_is_a_source(rehearsal):
    """`Page` reads paddings from its own module and colours from the theme."""
    assert "theme.py" in names(rehearsal.sections[0])


def test_old_generations_are_pruned(tmp_path):
    import os

    for age in range(10):
        path = tmp_path / f"clip-{age}.mp4"
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    SectionCache(tmp_path).prune(section_keys=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"clip-{i}.mp4" for i in range(6)]
