"""Stores observations and links, and publishes protected releases of them."""
