"""Promos: moments of several films in one short film with a title and an end card, from a file."""
