"""The whole pipeline in one process: the demo, pilots on your own files, and synthetic data. Not
for production.
"""
