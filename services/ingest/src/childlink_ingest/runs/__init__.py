"""The use cases of a site: send an extract, take back, start anew after a restore, verify own
rows.
"""
