"""Ask childlink analytics a question.

from childlink_client import Client

with Client("analytics.example:7443", ca="ca.pem", certificate="me.pem", key="me.key") as client:
    answer = client.ask("reach_children", by=["residence", "imd_quintile"])
    print(answer)                # a table
    answer.to_pandas()           # a DataFrame
    answer.save_chart("reach.svg")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from childlink_client.about import About
    from childlink_client.analyses.change import Change
    from childlink_client.analyses.comparison import Comparison
    from childlink_client.analyses.inequality import Inequality
    from childlink_client.analyses.pathways import Pathways
    from childlink_client.analyses.standardisation import Standardised
    from childlink_client.analyses.trend import Trend
    from childlink_client.answers import Answer
    from childlink_client.client import Client
    from childlink_client.errors import ClientError
    from childlink_client.found import Found
    from childlink_client.shown import Estimate
    from childlink_client.values import Cell, Dimension, Measure, Release

__all__ = [
    "About",
    "Answer",
    "Cell",
    "Change",
    "Client",
    "ClientError",
    "Comparison",
    "Dimension",
    "Estimate",
    "Found",
    "Inequality",
    "Measure",
    "Pathways",
    "Release",
    "Standardised",
    "Trend",
]

# The module of each name. Modules are imported on first use: gRPC takes longer to load than a
# command's help text may take.
_HOME = {
    "About": "about",
    "Answer": "answers",
    "Cell": "values",
    "Change": "analyses.change",
    "Client": "client",
    "ClientError": "errors",
    "Comparison": "analyses.comparison",
    "Dimension": "values",
    "Estimate": "shown",
    "Found": "found",
    "Inequality": "analyses.inequality",
    "Measure": "values",
    "Pathways": "analyses.pathways",
    "Release": "values",
    "Standardised": "analyses.standardisation",
    "Trend": "analyses.trend",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
