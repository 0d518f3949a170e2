"""Analytics stores linked observations, cuts protected releases from them, and answers questions
from the releases alone.

`answering` serves questions. `releasing` stores, counts, protects and publishes; it needs the extra
`releasing`. `shared` holds what both use.
"""
