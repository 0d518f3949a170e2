"""Decides whether two records are one person: what is compared, how, and with what weight. Rules:
arrays in, arrays out.
"""
