"""Roles: what films look for in an engine's code, and which functions of this engine play them."""

ROLES = {
    "make": "PagedCache.__init__",
    "pages": "pages_for",
    "alloc": "PagedCache.alloc",
    "evict": "PagedCache.evict",
    "share": "PagedCache.inc_ref",
    "free": "PagedCache.free",
    "lookup": "PagedCache.lookup",
    "grow": "PagedCache.grow",
    "view": "CacheView.__init__",
    "write": "PagedCache.write",
    "gather": "PagedCache.gather",
    "room": "InferenceScheduler._make_room",
}
"""By role. `make` reserves the pool, `pages` counts the pages that tokens need, `alloc` takes a page and `evict` the
one that is used least, `share` holds a page once more and `free` lets go of it, `lookup` finds a prefix, `grow` gives a
table what a request's tokens need, `view` is what attention sees in a pass, `write` and `gather` store and read K and
V, and `room` preempts until there is a page."""
