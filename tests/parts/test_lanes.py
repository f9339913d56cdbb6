"""Lanes: times that are said to be a sum add up."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from scenes.measures import measure
from scenes.story.words import adding_up


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=3))
def test_times_that_make_a_sum_add_up_as_written(parts):
    times = [measure("part", ns, "time") for ns in (*parts, sum(parts))]
    *written, whole = (Decimal(str(time).removesuffix(" ms")) for time in adding_up(*times))
    assert sum(written) == whole
    finest = 10 ** (6 + min(0, whole.as_tuple().exponent))
    assert all(abs(Decimal(ns) / 10**6 - shown) * 10**6 <= finest / 2 for ns, shown in zip(parts, written, strict=True))
