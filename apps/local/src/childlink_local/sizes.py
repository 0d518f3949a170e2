"""The size of the synthetic partnership."""

from typing import Final

# The published reach of LEAP.
LEAP_CHILDREN: Final = 14_028
LEAP_ADULTS: Final = 15_254
