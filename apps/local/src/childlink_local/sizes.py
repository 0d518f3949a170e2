"""How large the made-up partnership is."""

from typing import Final

# LEAP's published reach.
LEAP_CHILDREN: Final = 14_028
LEAP_ADULTS: Final = 15_254
