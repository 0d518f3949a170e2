"""Datasets, instruments, dimensions and measures of the partnership, as data. Sites and hub read
it.
"""
