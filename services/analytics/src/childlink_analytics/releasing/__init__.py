"""Stores observations and links, and publishes protected releases from them."""
