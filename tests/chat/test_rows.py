"""Rows of text follow their pages through sharing, preemption and release."""

from scenes.story.history import history_of


def test_rows_are_where_the_tables_say(shared, crowded):
    for trace in (shared, crowded):
        rows = history_of(trace).pages
        for seq in range(len(trace)):
            if trace[seq].event != "table":
                continue
            for task, pages in trace.state_at(seq).tables.items():
                for logical, page in enumerate(pages):
                    assert rows.page_at((task, logical), seq) == page


def test_shared_pages_have_one_home(shared):
    rows = history_of(shared).pages
    hits = list(shared.find(event="pages_ref"))
    assert hits
    for event in hits:
        home = rows.homes[event.task, event.logical]
        assert home != (event.task, event.logical)
        assert rows.page_at(home, event.seq) == event.page


def test_rows_are_gone_when_their_page_is_free(shared, crowded):
    for trace in (shared, crowded):
        rows = history_of(trace).pages
        state = trace.state_at(len(trace) - 1)
        for key in rows.homes:
            page = rows.page_at(key, len(trace) - 1)
            assert page is None or state.page_state(page) != "free"
