"""Prints the trace of a small run, in bulk, with Python's library alone: python emit.py > run.jsonl"""

import json
import time

SIZES = {"cache": {"n_pages": 64, "page_size": 4}, "model": {"n_layers": 1, "n_kv_heads": 1, "head_dim": 8}}
HEADER = {"type": "header", "schema": "astrai-trace", "version": 1, "engine": {"name": "tiny-py"}, "phases": []}
HEADER |= {"detail": "bulk", "dtype": "float32", "model": "none", "scenario": SIZES | {"scheduler": {"max_batch": 1}}}
lines, step, began = [], -1, time.monotonic_ns()


def emit(event: str, **fields: object) -> None:
    lines.append({"seq": len(lines), "step": step, "ns": time.monotonic_ns() - began, "event": event, **fields})


for task, prompt, answer in (("A", 9, 5), ("B", 3, 7)):  # tokens that come, and tokens that go
    emit("task_submitted", task=task, prompt_len=prompt, max_tokens=answer)
    pages, end = -(-(prompt + answer - 1) // 4), prompt + answer  # all that it will need, from the beginning
    for known in range(prompt, end):
        step, first, last = step + 1, known == prompt, known == end - 1
        emit("step_begin")
        if first:
            emit("pages_alloc", task=task, runs=[[0, pages]], logical=0, refs=1, free=64 - pages)
            emit("task_admitted", task=task, tokens=prompt, n_pages=pages)
        emit("kv_lengths", tasks=[task], counts=prompt if first else 1)
        if first:
            emit("task_prefilled", task=task, start=0, end=prompt)
        emit("tokens", tasks=[task], source="prefill" if first else "decode")
        if last:
            emit("task_finished", task=task, reason="length", tokens=end, generated=answer)
            emit("pages_free", task=task, runs=[[pages - 1, -pages]], logical=pages - 1, refs=0, free=64)
        emit("step_end", waiting=0, running=int(not last))

for line in (HEADER, *lines, {"type": "footer", "events": len(lines), "stopped": "idle"}):
    print(json.dumps(line))
