"""The tables of observations and links."""
