"""Whether two records are one person: what is compared, how, and what it weighs. Rules: arrays in,
arrays out.
"""
