"""The scheduler's four phases: what happens in which, in which order, and when memory runs out."""

from __future__ import annotations

import pytest

from astrai_sim.engine.cache import PagedCache
from astrai_sim.engine.scheduler import InferenceScheduler, Status, Task
from tests.scheduler.context_model import ContextModel, context_cache, generate

VOCAB = 13


def scheduler_of(n_pages: int = 16, page_size: int = 4, prefix_caching: bool = True, **choices) -> InferenceScheduler:
    cache = context_cache(n_pages, page_size, prefix_caching)
    return InferenceScheduler(ContextModel(VOCAB), cache, **choices)


def task(name: str, n: int, max_tokens: int, first: int = 0) -> Task:
    """A request whose prompt starts with `first`: two with different ones share no page."""
    return Task(name, [first, *[i % VOCAB for i in range(1, n)]], max_tokens)


def drain(scheduler: InferenceScheduler, limit: int = 500) -> None:
    for _ in range(limit):
        if scheduler.idle:
            return
        scheduler.step()
    raise AssertionError("the scheduler does not come to an end")


def names(tasks) -> list[str]:
    return [task.id for task in tasks]


def assert_nothing_held(cache: PagedCache) -> None:
    assert cache.tables == {}
    assert not any(cache.refs)
    assert cache.n_available == cache.n_pages


def watch_batches(scheduler: InferenceScheduler, monkeypatch) -> list[list[tuple[str, int, int]]]:
    """Every forward's (task, start, count), in order."""
    batches = []
    forward = scheduler._forward

    def watched(batch):
        batches.append([(task.id, start, count) for task, start, count in batch])
        return forward(batch)

    monkeypatch.setattr(scheduler, "_forward", watched)
    return batches


# phases


def test_a_step_is_cleanup_refill_prefill_decode(monkeypatch):
    scheduler = scheduler_of()
    order = []
    for name in ("cleanup", "refill", "prefill", "decode"):
        phase = getattr(scheduler, name)
        monkeypatch.setattr(scheduler, name, lambda name=name, phase=phase: order.append(name) or phase())
    scheduler.step()
    assert order == ["cleanup", "refill", "prefill", "decode"]
    assert scheduler.step_index == 1


def test_one_request_from_submission_to_its_pages_return():
    scheduler = scheduler_of(prefix_caching=False)
    request = task("a", 7, 4)
    scheduler.submit(request)
    assert request.status == Status.WAITING
    assert scheduler.cleanup() == []
    assert names(scheduler.refill()) == ["a"]
    assert request.status == Status.PREFILLING
    assert scheduler.cache.tables["a"] == [0, 1]
    assert names(scheduler.prefill()) == ["a"]
    assert (request.status, request.kv_len, len(request.output)) == (Status.RUNNING, 7, 1)
    assert names(scheduler.decode()) == ["a"]
    assert (request.kv_len, len(request.output)) == (8, 2)
    assert scheduler.cache.tables["a"] == [0, 1], "the eighth slot was there already"
    scheduler.decode()
    assert scheduler.cache.tables["a"] == [0, 1, 2], "the ninth needs a page"
    scheduler.decode()
    assert (request.status, request.finish_reason) == (Status.FINISHED, "length")
    assert scheduler.cache.tables["a"] == [0, 1, 2], "until the next cleanup"
    assert names(scheduler.cleanup()) == ["a"]
    assert_nothing_held(scheduler.cache)
    assert request.output == generate(request.prompt, 4, VOCAB)


def test_the_first_token_comes_from_the_prefill_logits(monkeypatch):
    scheduler = scheduler_of()
    batches = watch_batches(scheduler, monkeypatch)
    request = task("a", 6, 1)
    scheduler.submit(request)
    scheduler.step()
    assert batches == [[("a", 0, 6)]], "one forward, over the prompt"
    assert request.output == generate(request.prompt, 1, VOCAB)
    assert request.status == Status.FINISHED


def test_a_request_may_end_with_eos():
    scheduler = scheduler_of()
    text = generate(task("a", 6, 1).prompt, 20, VOCAB)
    eos = text[3]
    scheduler.eos = eos
    request = task("a", 6, 20)
    scheduler.submit(request)
    drain(scheduler)
    assert request.finish_reason == "eos"
    assert request.output == text[: text.index(eos) + 1]


def test_the_batch_limit_holds():
    scheduler = scheduler_of(max_batch=2)
    for i in range(5):
        scheduler.submit(task(f"t{i}", 4, 3, first=i))
    seen = []
    while not scheduler.idle:
        scheduler.step()
        assert len(scheduler.running) <= 2
        seen += [name for name in names(scheduler.running) if name not in seen]
    assert seen == [f"t{i}" for i in range(5)]


# policies


def test_all_decodes_every_running_task(monkeypatch):
    scheduler = scheduler_of(decode_policy="all")
    for i, n in enumerate((3, 5, 9)):
        scheduler.submit(task(f"t{i}", n, 4, first=i))
    batches = watch_batches(scheduler, monkeypatch)
    scheduler.step()
    assert batches[-1] == [("t0", 3, 1), ("t1", 5, 1), ("t2", 9, 1)]


def test_same_position_decodes_the_largest_group(monkeypatch):
    scheduler = scheduler_of(decode_policy="same-position")
    for i, n in enumerate((3, 5, 5, 9)):
        scheduler.submit(task(f"t{i}", n, 8, first=i))
    batches = watch_batches(scheduler, monkeypatch)
    scheduler.step()
    assert batches[-1] == [("t1", 5, 1), ("t2", 5, 1)]
    while not scheduler.idle:
        count = len(batches)
        scheduler.step()
        for batch in batches[count:]:
            assert len({start for _, start, _ in batch}) == 1
    assert all(len(found.output) == 8 for found in scheduler.finished)


def test_of_equal_groups_the_earliest_admitted_decodes(monkeypatch):
    scheduler = scheduler_of(decode_policy="same-position")
    for i, n in enumerate((6, 3)):
        scheduler.submit(task(f"t{i}", n, 8, first=i))
    batches = watch_batches(scheduler, monkeypatch)
    scheduler.step()
    assert batches[-1] == [("t0", 6, 1)]


def tokens_while_short_ones_come(aging_steps: int | None, steps: int) -> int:
    """Tokens that one long request has after `steps`, beside two short ones of equal length at any time."""
    scheduler = scheduler_of(n_pages=64, max_batch=3, decode_policy="same-position", aging_steps=aging_steps)
    long = task("long", 4, 50)
    scheduler.submit(long)
    for step in range(steps):
        if step % 8 == 0:
            for i in (1, 2):
                scheduler.submit(task(f"short {step} {i}", 6, 10, first=i))
        scheduler.step()
    return len(long.output)


def test_a_position_waits_without_bound_while_larger_groups_keep_coming():
    assert tokens_while_short_ones_come(None, 2000) < 10


@pytest.mark.parametrize("aging_steps", [1, 3, 20])
def test_a_position_that_has_waited_long_enough_goes_first(aging_steps):
    assert tokens_while_short_ones_come(aging_steps, 50 * (aging_steps + 3)) == 50


# memory


@pytest.mark.parametrize("preemption", [True, False])
def test_the_order_is_kept_when_the_first_waiting_one_does_not_fit(preemption):
    """None that came later overtakes, though it would fit, and none is lost."""
    scheduler = scheduler_of(n_pages=4, preemption=preemption)
    scheduler.submit(task("running", 9, 4, first=0))
    scheduler.step()
    late = [
        task(name, n, 2, first=i) for i, (name, n) in enumerate([("large", 12), ("small", 2), ("other", 3)], start=1)
    ]
    for request in late:
        scheduler.submit(request)
    scheduler.step()
    assert names(scheduler.running) == ["running"]
    assert names(scheduler.waiting) == ["large", "small", "other"]
    admitted = []
    while not scheduler.idle:
        scheduler.step()
        admitted += [name for name in names([*scheduler.running, *scheduler.finished]) if name not in admitted]
    assert admitted == ["running", "large", "small", "other"]
    assert [request.output for request in late] == [generate(request.prompt, 2, VOCAB) for request in late]


def test_growth_comes_before_the_token_is_written(monkeypatch):
    scheduler = scheduler_of(page_size=4)
    scheduler.submit(task("a", 4, 6))
    forward = scheduler._forward

    def checked(batch):
        for request, start, count in batch:
            assert len(scheduler.cache.tables[request.id]) * 4 >= start + count
        return forward(batch)

    monkeypatch.setattr(scheduler, "_forward", checked)
    sizes = []
    while not scheduler.idle:
        scheduler.step()
        sizes.append(len(scheduler.cache.tables.get("a", ())))
    assert sizes == [2, 2, 2, 2, 3, 0]


def test_the_latest_admitted_is_preempted_and_waits_at_the_front():
    scheduler = scheduler_of(n_pages=4, page_size=4, prefix_caching=False)
    first, second, third = task("a", 8, 9, 0), task("b", 7, 9, 1), task("c", 2, 3, 2)
    for request in (first, second, third):
        scheduler.submit(request)
    scheduler.step()  # a holds 3 pages, b its own 2 no more
    assert names(scheduler.running) == ["a"]
    assert (second.status, second.kv_len) == (Status.PREEMPTED, 0)
    assert "b" not in scheduler.cache.tables
    assert names(scheduler.waiting) == ["b", "c"], "ahead of one that never ran"
    assert len(second.output) == 1, "what it generated is kept"
    drain(scheduler)
    for request, n in ((first, 9), (second, 9), (third, 3)):
        assert request.output == generate(request.prompt, n, VOCAB)
    assert_nothing_held(scheduler.cache)


def test_a_preempted_task_is_computed_again_with_its_output(monkeypatch):
    scheduler = scheduler_of(n_pages=4, page_size=4, prefix_caching=False)
    scheduler.submit(task("a", 8, 2, 0))
    scheduler.submit(task("b", 7, 9, 1))
    batches = watch_batches(scheduler, monkeypatch)
    drain(scheduler)
    again = [entry for batch in batches for entry in batch if entry[0] == "b" and entry[2] > 1]
    assert again == [("b", 0, 7), ("b", 0, 8)], "prompt, then prompt and the first token"


def test_those_preempted_in_one_step_keep_their_order():
    scheduler = scheduler_of(n_pages=6, page_size=2, prefix_caching=False)
    requests = [task("a", 8, 5, 0), task("b", 2, 2, 1), task("c", 1, 2, 2)]
    for request in requests:
        scheduler.submit(request)
    scheduler.refill()
    assert scheduler.cache.n_available == 0
    scheduler.prefill()
    scheduler.decode()
    assert scheduler.cache.tables == {"a": [0, 1, 2, 3, 5]}, "c gave page 5 to a"
    assert names(scheduler.waiting) == ["b", "c"], "b could not grow and was the latest left"
    drain(scheduler)
    for request in requests:
        assert request.output == generate(request.prompt, request.max_tokens, VOCAB)


def test_a_task_sits_out_while_finished_ones_still_hold_its_page():
    """Pages that come back in the next cleanup are waited for: nobody is preempted."""
    scheduler = scheduler_of(n_pages=4, page_size=2, prefix_caching=False)
    done, request = task("done", 3, 1, 0), task("b", 4, 3, 1)
    scheduler.submit(done)
    scheduler.submit(request)
    scheduler.step()
    assert done.status == Status.FINISHED
    assert (request.status, len(request.output)) == (Status.RUNNING, 1)
    assert scheduler.cache.tables == {"done": [0, 1], "b": [2, 3]}
    scheduler.step()
    assert (request.status, len(request.output)) == (Status.RUNNING, 2)
    drain(scheduler)
    assert request.output == generate(request.prompt, 3, VOCAB)


def test_without_preemption_a_task_is_admitted_only_with_its_longest_length(monkeypatch):
    scheduler = scheduler_of(n_pages=6, page_size=4, preemption=False, prefix_caching=False)
    monkeypatch.setattr(scheduler, "_preempt", None)
    first, second = task("a", 4, 9, 0), task("b", 4, 13, 1)
    for request in (first, second):
        scheduler.submit(request)
    while first.status != Status.FINISHED:
        scheduler.step()
        assert names(scheduler.waiting) == ["b"], "3 + 4 pages are more than 6"
    drain(scheduler)
    assert second.output == generate(second.prompt, 13, VOCAB)


@pytest.mark.parametrize("policy", ["all", "same-position"])
@pytest.mark.parametrize("budget", [None, 9])
def test_nothing_is_lost_at_exhaustion(policy, budget):
    scheduler = scheduler_of(n_pages=7, page_size=2, max_batch=6, decode_policy=policy, max_tokens_per_step=budget)
    requests = [task(f"t{i}", 1 + i, 14 - i, first=i) for i in range(12)]
    for request in requests:
        scheduler.submit(request)
    preempted = 0
    while not scheduler.idle:
        scheduler.step()
        preempted += sum(waits.status == Status.PREEMPTED for waits in scheduler.waiting)
        tables = list(scheduler.cache.tables.values())
        held = [sum(table.count(page) for table in tables) for page in range(7)]
        assert scheduler.cache.refs == held
    assert preempted > 0
    for request in requests:
        assert request.output == generate(request.prompt, request.max_tokens, VOCAB)
    assert_nothing_held(scheduler.cache)


# refusals


@pytest.mark.parametrize("preemption", [True, False])
def test_what_can_never_fit_is_refused_at_submission(preemption):
    scheduler = scheduler_of(n_pages=3, page_size=4, preemption=preemption)
    scheduler.submit(task("fits", 8, 5))
    with pytest.raises(ValueError, match="b can never fit: 13 tokens need 4 pages, the pool has 3"):
        scheduler.submit(task("b", 8, 6))
    assert names(scheduler.waiting) == ["fits"]
    drain(scheduler)


@pytest.mark.parametrize(("n", "max_tokens"), [(0, 3), (3, 0)])
def test_an_empty_request_is_refused(n, max_tokens):
    with pytest.raises(ValueError, match="at least 1 token"):
        scheduler_of().submit(Task("a", [1] * n, max_tokens))


def test_a_name_in_use_is_refused_and_free_again_later():
    scheduler = scheduler_of()
    request = task("a", 3, 1)
    scheduler.submit(request)
    for _ in range(2):
        with pytest.raises(ValueError, match="the name is in use"):
            scheduler.submit(task("a", 3, 1))
        scheduler.step()
        if request.status == Status.FINISHED:
            scheduler.cleanup()
            break
    scheduler.submit(task("a", 3, 1))
    with pytest.raises(ValueError, match="served before"):
        scheduler.abort("a")
        scheduler.cleanup()
        scheduler.submit(request)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"decode_policy": "fair"}, "choose from all, same-position"),
        ({"max_batch": 0}, "max_batch must be at least 1"),
        ({"aging_steps": 0}, "aging_steps must be at least 1"),
        ({"max_batch": 4, "max_tokens_per_step": 3}, "must be at least max_batch"),
    ],
)
def test_choices_that_cannot_work_are_refused(choices, message):
    with pytest.raises(ValueError, match=message):
        scheduler_of(**choices)


def test_only_settings_can_be_changed():
    scheduler = scheduler_of()
    with pytest.raises(ValueError, match="choose from decode_policy, max_tokens_per_step"):
        scheduler.change_setting("max_batch", 3)
    scheduler.change_setting("max_tokens_per_step", 8)
    assert scheduler.max_tokens_per_step == 8


# the end of a task, or of all


def test_abort_in_every_state_returns_all_pages():
    for steps in range(6):
        scheduler = scheduler_of(n_pages=6, max_batch=4, max_tokens_per_step=4)
        scheduler.submit(task("a", 6, 6, 0))
        scheduler.submit(task("b", 9, 3, 1))
        for _ in range(steps):
            scheduler.step()
        for name in ("a", "b"):
            if name in names(scheduler.tasks()):
                scheduler.abort(name)
        scheduler.step()
        assert scheduler.idle
        assert_nothing_held(scheduler.cache)


def test_an_unknown_task_cannot_be_aborted():
    with pytest.raises(KeyError):
        scheduler_of().abort("a")


def test_an_aborted_task_keeps_others_going():
    scheduler = scheduler_of(n_pages=8)
    kept = task("kept", 5, 7, 0)
    scheduler.submit(kept)
    scheduler.submit(Task("aborted", [*kept.prompt, 1, 2], 5))
    scheduler.step()
    scheduler.abort("aborted")
    drain(scheduler)
    assert kept.output == generate(kept.prompt, 7, VOCAB)


def test_stop_returns_all_pages():
    scheduler = scheduler_of(n_pages=7, page_size=2, max_batch=6, max_tokens_per_step=6)
    requests = [task(f"t{i}", 1 + i, 14 - i, first=i) for i in range(8)]
    for request in requests:
        scheduler.submit(request)
    for _ in range(5):
        scheduler.step()
    assert any(scheduler.cache.refs)
    scheduler.stop()
    assert scheduler.idle
    assert_nothing_held(scheduler.cache)
    scheduler.cache.reset_prefix_cache()
    assert scheduler.cache.free_mask == 0b1111111
    assert all(request.status == Status.FINISHED for request in requests)


# chunks and the token budget


def test_a_long_prompt_is_computed_in_chunks_beside_decodes(monkeypatch):
    scheduler = scheduler_of(page_size=4, max_batch=2, max_tokens_per_step=5)
    running, long = task("running", 3, 12, 0), task("long", 17, 2, 1)
    scheduler.submit(running)
    scheduler.step()
    scheduler.submit(long)
    batches = watch_batches(scheduler, monkeypatch)
    while long.status != Status.FINISHED:
        scheduler.step()
    chunks = [(start, count) for batch in batches for name, start, count in batch if name == "long"]
    assert chunks == [(0, 4), (4, 4), (8, 4), (12, 4), (16, 1), (17, 1)]
    decoded = [name for batch in batches for name, _, _ in batch if name == "running"]
    assert len(decoded) == 5, "one token in every step beside them"
    drain(scheduler)
    for request in (running, long):
        assert request.output == generate(request.prompt, request.max_tokens, VOCAB)


@pytest.mark.parametrize("budget", [4, 5, 7, 16])
@pytest.mark.parametrize("policy", ["all", "same-position"])
def test_no_step_computes_more_than_the_budget(monkeypatch, budget, policy):
    scheduler = scheduler_of(n_pages=12, page_size=2, max_batch=4, max_tokens_per_step=budget, decode_policy=policy)
    for i in range(9):
        scheduler.submit(task(f"t{i}", 1 + 2 * i, 5, first=i))
    batches = watch_batches(scheduler, monkeypatch)
    while not scheduler.idle:
        before = len(batches)
        scheduler.step()
        step = [count for batch in batches[before:] for _, _, count in batch]
        assert sum(step) <= budget


def test_decodes_come_before_chunks(monkeypatch):
    """With a budget of the batch's size, prompts get what decoding tasks leave."""
    scheduler = scheduler_of(max_batch=3, max_tokens_per_step=3)
    for i in range(2):
        scheduler.submit(task(f"r{i}", 1, 9, first=i))
    scheduler.step()
    scheduler.submit(task("long", 7, 2, first=5))
    batches = watch_batches(scheduler, monkeypatch)
    scheduler.step()
    assert batches == [[("long", 0, 1)], [("r0", 2, 1), ("r1", 1, 1)]]
