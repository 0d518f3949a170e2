"""The tables of observations and links, and access to them."""
