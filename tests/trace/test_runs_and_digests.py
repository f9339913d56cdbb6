"""Runs of pages, and the digests that stand for many numbers."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrai_sim.trace.digests import (
    from_runs,
    lengths_digest,
    numbers_digest,
    pages_digest,
    tables_digest,
    to_runs,
    words_digest,
    words_of,
)


@given(st.lists(st.integers(0, 40)))
def test_runs_give_the_pages_back(pages):
    assert from_runs(to_runs(pages)) == pages


def test_runs_go_up_and_down():
    assert to_runs([4, 5, 6, 9]) == [[4, 3], [9, 1]]
    assert to_runs([6, 5, 4, 7, 8]) == [[6, -3], [7, 2]]
    assert to_runs([3, 4, 3, 2]) == [[3, 2], [3, -2]]
    assert to_runs([]) == []


def test_a_run_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no pages"):
        from_runs([[3, 0]])


def blake(data: bytes, size: int) -> str:
    return hashlib.blake2b(data, digest_size=size).hexdigest()


def test_digests_are_of_the_stated_text():
    assert numbers_digest([3, 10]) == blake(b"3,10", 4)
    assert words_digest([1, 2**63]) == blake(b"\1" + bytes(7) + bytes(7) + b"\x80", 4)
    assert pages_digest([1, 258]) == blake(b"\1\0\0\0\2\1\0\0", 8)
    assert tables_digest({"b": [1], "a": [3, 4]}) == blake(b"a:3,4;b:1;", 8)
    assert lengths_digest({"b": 1, "a": 30}) == blake(b"a:30;b:1;", 8)
    assert words_of([130, 3, 64, 65]) == [0, 1, 2]
