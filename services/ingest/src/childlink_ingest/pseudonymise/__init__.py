"""Splits a canonical row into two halves that share no reference, and encodes identities."""
