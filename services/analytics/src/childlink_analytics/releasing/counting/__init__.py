"""Counts over a frozen copy of the store."""
