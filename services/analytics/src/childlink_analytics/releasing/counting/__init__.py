"""Counts of a frozen copy of the store."""
