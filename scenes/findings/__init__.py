"""A film of what the doctor finds in a trace, which need not be one that holds."""
