"""Ask childlink analytics a question.

from childlink_client import Client

with Client("analytics.example:7443", ca="ca.pem", certificate="me.pem", key="me.key") as client:
    answer = client.ask("reach_children", by=["residence", "imd_quintile"])
    print(answer)                # a table
    answer.to_pandas()           # a DataFrame
    answer.save_chart("reach.svg")
"""

from childlink_client.answers import Answer, Cell, Dimension, Measure, Release
from childlink_client.client import Client
from childlink_client.errors import ClientError
from childlink_client.studies import Change, Comparison, Inequality, Pathways, Trend
from childlink_client.study import Estimate, Study

__all__ = [
    "Answer", "Cell", "Change", "Client", "ClientError", "Comparison", "Dimension", "Estimate", "Inequality", "Measure", "Pathways",
    "Release", "Study", "Trend",
]  # fmt: skip
