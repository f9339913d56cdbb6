"""Prints the trace of a small run, in bulk, with Python's library alone: python emit.py > run.jsonl"""

import json
from time import monotonic_ns

SIZES = {"cache": {"n_pages": 64, "page_size": 4}, "model": {"n_layers": 1, "n_kv_heads": 1, "head_dim": 8}}
HEADER = {"type": "header", "schema": "astrai-trace", "version": 1, "engine": {"name": "tiny-py"}, "phases": []}
HEADER |= {"detail": "bulk", "dtype": "float32", "model": "none", "scenario": SIZES | {"scheduler": {"max_batch": 1}}}
REQUESTS, lines, began = [("A", 9, 5, 4), ("B", 3, 7, 3)], [], monotonic_ns()


def emit(event: str, happens: bool = True, **fields: object) -> None:
    lines.extend([{"seq": len(lines), "step": step, "ns": monotonic_ns() - began, "event": event} | fields] * happens)


# A request is its name, tokens that come in and go out, and the pages of all; it gets a token a step.
for step, (task, prompt, answer, n, i) in enumerate((*request, i) for request in REQUESTS for i in range(request[2])):
    emit("step_begin")
    emit("task_submitted", i == 0, task=task, prompt_len=prompt, max_tokens=answer, arrival_step=step)
    emit("pages_alloc", i == 0, task=task, runs=[[0, n]], logical=0, refs=1, free=64 - n)
    emit("task_admitted", i == 0, task=task, tokens=prompt, n_pages=n)
    emit("kv_lengths", tasks=[task], counts=1 if i else prompt)
    emit("task_prefilled", i == 0, task=task, start=0, end=prompt)
    emit("tokens", tasks=[task], source="decode" if i else "prefill")
    emit("task_finished", i == answer - 1, task=task, reason="length", tokens=prompt + answer, generated=answer)
    emit("pages_free", i == answer - 1, task=task, runs=[[n - 1, -n]], logical=n - 1, refs=0, free=64)
    emit("step_end", waiting=0, running=int(i < answer - 1))
print(*map(json.dumps, (HEADER, *lines, {"type": "footer", "events": len(lines), "stopped": "idle"})), sep="\n")
