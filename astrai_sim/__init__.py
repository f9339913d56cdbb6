"""A small LLM inference engine with a paged KV cache, and a recorder of what it does."""

__version__ = "0.1.0"
