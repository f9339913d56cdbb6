"""Shown equals recorded: what the mobjects show is compared with the replayed state."""
