"""A partner's columns onto a dataset: what a mapping says, its proposal, its approval, and its use
on a row.
"""
