"""What a snapshot says of a prefix tree: the pages to which its root leads, and no others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from astrai_sim.adapters.astrai import Radix
from astrai_sim.trace import TraceError
from astrai_sim.trace.verify import verify
from tests.doctor.script import SYSTEM, Script


def node(page, *children):
    """A node of a tree, whose root has no page."""
    return SimpleNamespace(page_idx=page, children=dict(enumerate(children)))


def reached(root):
    prefix = SimpleNamespace(_root=root) if root else SimpleNamespace()
    engine = SimpleNamespace(_cache=SimpleNamespace(strategy=SimpleNamespace(_prefix=prefix)))
    return Radix.reached(SimpleNamespace(engine=engine))  # type: ignore[arg-type]


def test_the_root_leads_to_pages_behind_pages():
    assert reached(node(None, node(3, node(1), node(7)), node(2))) == {"reached": [1, 2, 3, 7]}


def test_it_does_not_lead_beyond_a_node_without_a_page():
    assert reached(node(None, node(3), node(None, node(4)))) == {"reached": [3]}


def test_an_index_that_is_no_tree_says_nothing():
    assert reached(None) == {}


def test_a_tree_does_not_lead_to_a_page_that_has_no_key():
    script = Script()
    with script.steps("prefill"):
        script.submit("A", [*SYSTEM, 5])
        script.come("A", 0)
        script.come("A", 1)
        script.admit("A")
        script.compute("A")
        script.keyed("A", 0, "k1")
        script.emit("task_prefilled", task="A", start=0, end=5)
        token = {"index": 0, "position": 5, "source": "prefill"}
        script.emit("token", task="A", id=9, **token)
        script.ids["A"].append(9)
        script.finish("A")
        script.leave("A", cached=[0])
    next(line for line in script.lines if line["event"] == "phase_end")["tasks"] = ["A"]
    read = {"mask": "0xfe", "refs": [0] * 8, "tables": {}, "lengths": {}, "lru": [0]}
    script.emit("snapshot", **read, reached=[0, 1])
    with pytest.raises(TraceError, match="the prefix tree leads to page 1, which has no key"):
        verify(script.trace())
