"""Playing, rendering and joining films."""
