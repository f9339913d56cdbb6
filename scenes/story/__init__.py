"""From a trace to beats: what is told, in which order, and for how long."""
