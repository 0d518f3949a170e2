"""Answers questions from protected releases alone. Imports nothing that can reach the store or
count.
"""
