"""For the hub's operators: a certificate authority, and the broker's topics and rights. Holds no
data of the partnership.
"""
