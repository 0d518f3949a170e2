"""A synthetic partnership modelled on LEAP: people (`people`), what is recorded about them
(`lives`), and the files of each partner (`extracts`, `partners`).
"""

from pathlib import Path

import numpy as np

from childlink_local.sizes import LEAP_ADULTS, LEAP_CHILDREN
from childlink_local.synth.extracts import write_partnership
from childlink_local.synth.lives import Lives, live
from childlink_local.synth.people import People
from childlink_local.synth.recording import Errors

# The share of local children whom no service reached.
_NOT_REACHED_SHARE = 0.3


def synthesise(
    folder: Path,
    seed: int = 1,
    children: int = LEAP_CHILDREN,
    error_times: float = 1.0,
    nhs_times: float = 1.0,
    *,
    everything: bool = False,
) -> Lives:
    """Write a partnership in which services reach `children` children. The same seed always writes
    the same bytes. With `everything`, the partners also write their further extracts (referrals,
    assessments, feedback, hospital, school and more) and the tables that stand beside.
    """
    rng = np.random.default_rng(seed)
    families = People(rng).families(round(children / (1 - _NOT_REACHED_SHARE)))
    lives = live(families, children, round(children * LEAP_ADULTS / LEAP_CHILDREN), rng)
    further = seed if everything else None
    write_partnership(lives, folder, rng, Errors().times(error_times), nhs_times, further)
    return lives
