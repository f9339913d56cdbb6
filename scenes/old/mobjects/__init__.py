"""Mobjects for KV cache films: each knows how to draw and change one thing."""
