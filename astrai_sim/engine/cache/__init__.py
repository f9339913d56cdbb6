"""The paged KV cache: pages, refcounts, page tables, prefix reuse."""

from astrai_sim.engine.cache.free_tree import cache_type
from astrai_sim.engine.cache.paged_cache import OutOfPages, PagedCache, word_of
from astrai_sim.engine.cache.queued import QueuedView, sent
from astrai_sim.engine.cache.view import CacheView, pages_for

__all__ = ["CacheView", "OutOfPages", "PagedCache", "QueuedView", "cache_type", "pages_for", "sent", "word_of"]
