"""Releases: cut, approved by two people, published and retracted."""
