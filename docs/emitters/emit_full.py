"""Writes the trace of a small run in full detail, sealed, with Python's library alone: python emit_full.py run.jsonl"""

import hashlib
import json
import sys
import time
from pathlib import Path

SIZE, free, lines, step, began = 4, list(range(8)), [], -1, time.monotonic_ns()
SIZES = {"cache": {"n_pages": 8, "page_size": SIZE}, "model": {"n_layers": 1, "n_kv_heads": 1, "head_dim": 8}}
HEADER = {"type": "header", "schema": "astrai-trace", "version": 1, "engine": {"name": "tiny-py"}, "phases": []}
HEADER |= {"dtype": "float32", "model": "made-up", "scenario": SIZES | {"scheduler": {"max_batch": 1}}}


def emit(event: str, **fields: object) -> None:
    lines.append({"seq": len(lines), "step": step, "ns": time.monotonic_ns() - began, "event": event, **fields})


for task, prompt, answer in (("A", [3, 1, 4, 1, 5, 9], [2, 6, 5]), ("B", [2, 7, 1], [8, 2, 8, 1])):
    emit("task_submitted", task=task, prompt=prompt, max_tokens=len(answer))
    table, stored, known = [], 0, len(prompt)  # its pages, tokens in the cache, and tokens that there are
    for index, token in enumerate(answer):
        step, waiting = step + 1, not index
        emit("step_begin", waiting=[task] * waiting, running=[task] * (not waiting))
        while len(table) * SIZE < known:
            table.append(free.pop(0))
            emit("page_alloc", page=table[-1], task=task, logical=len(table) - 1, ref=1)
            emit("table", task=task, pages=table[:])
        if waiting:
            emit("task_admitted", task=task, tokens=known, pages=table[:])
        pages = range(stored // SIZE, -(-known // SIZE))
        slots = [[table[i], max(stored - i * SIZE, 0), min(known - i * SIZE, SIZE)] for i in pages]
        emit("kv_write", layer=0, spans=[{"task": task, "start": stored, "count": known - stored, "slots": slots}])
        if waiting:
            emit("task_prefilled", task=task, start=stored, end=known)
        source = "prefill" if waiting else "decode"
        emit("token", task=task, id=token, index=index, position=known, source=source)
        stored, known = known, known + 1
        if index == len(answer) - 1:
            emit("task_finished", task=task, reason="length", tokens=known, generated=len(answer))
            for logical, page in reversed([*enumerate(table)]):
                free.append(page)
                emit("page_free", page=page, task=task, logical=logical, ref=0)
            emit("table", task=task, pages=[])
        emit("step_end", waiting=0, running=int(index < len(answer) - 1))

text = "".join(json.dumps(line) + "\n" for line in [HEADER, *lines])
digest = hashlib.sha256(text.encode()).hexdigest()
footer = {"type": "footer", "events": len(lines), "sha256": digest, "stopped": "idle"}
Path(sys.argv[1]).write_bytes(f"{text}{json.dumps(footer)}\n".encode())
