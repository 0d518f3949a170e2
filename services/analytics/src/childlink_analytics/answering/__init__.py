"""Answers questions from protected releases alone. It imports nothing that can reach the store or
count.
"""
