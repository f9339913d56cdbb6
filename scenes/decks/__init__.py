"""Decks for talks: clips one after another, stepped through by key or clicker."""
