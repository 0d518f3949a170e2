"""Tools for the hub's operators: a certificate authority, and the broker's topics and access
rights.

It holds none of the partnership's data.
"""
