"""The engine: a paged KV cache, a continuous-batching scheduler, and their clock."""
