"""What the partnership counts: datasets, instruments, dimensions and measures, as data. Read by
sites and hub.
"""
