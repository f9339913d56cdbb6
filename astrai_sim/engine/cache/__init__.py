"""The paged KV cache: pages, refcounts, page tables, prefix reuse."""

from astrai_sim.engine.cache.paged_cache import OutOfPages, PagedCache
from astrai_sim.engine.cache.view import CacheView, pages_for

__all__ = ["CacheView", "OutOfPages", "PagedCache", "pages_for"]
