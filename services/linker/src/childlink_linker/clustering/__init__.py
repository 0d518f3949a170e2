"""Decides which records are one person, and which people are one family. Rules: no I/O."""
