"""The plain way to attack a cell: two solutions of its own, with nothing learnt from others."""

from typing import Any

import highspy
import numpy as np
from childlink_analytics.releasing.protection.attack import _run


def width_of(solver: Any, target: int) -> int:
    """Width of a cell's interval. Zero if the solver ran out of time."""
    solver.changeColCost(target, 1.0)
    ends = []
    for sense in (highspy.ObjSense.kMinimize, highspy.ObjSense.kMaximize):
        if not _run(solver, sense):
            ends = [0.0, 0.0]
            break
        ends.append(solver.getInfo().objective_function_value)
    solver.changeColCost(target, 0.0)
    return int(np.floor(ends[1] + 1e-6) - np.ceil(ends[0] - 1e-6))
