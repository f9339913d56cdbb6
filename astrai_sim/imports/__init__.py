"""Traces made from what other engines publish of themselves."""
