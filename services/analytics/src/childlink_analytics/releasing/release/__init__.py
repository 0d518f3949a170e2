"""Releases: cut, approved by two people, published, taken back."""
