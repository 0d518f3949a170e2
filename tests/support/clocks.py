"""Clocks that show a wrong time."""

import sys
import time
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

PARTNER, HUB = ("childlink_ingest",), ("childlink_linker", "childlink_analytics", "childlink_bus")


def set_clock(monkeypatch: pytest.MonkeyPatch, packages: Sequence[str], ahead_s: float) -> None:
    """Set the clocks of some packages ahead by a number of seconds."""
    now, now_ns = time.time, time.time_ns
    wrong = SimpleNamespace(**vars(time))
    wrong.time, wrong.time_ns = lambda: now() + ahead_s, lambda: now_ns() + int(ahead_s * 1e9)
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] in packages]
    reading = [module for module in modules if vars(module).get("time") is not None]
    assert reading
    for module in reading:
        monkeypatch.setattr(module, "time", wrong)
