"""Kinds of analysis, one file each. `KINDS` is the only list of them: commands, pages and reports
offer the kinds in it.
"""

from collections.abc import Mapping
from typing import Final

from childlink_client.analyses import (
    answering,
    change,
    comparison,
    contrast,
    inequality,
    pathways,
    standardisation,
    trend,
)
from childlink_client.analyses.kind import Kind

_FILES = (answering, comparison, change, pathways, trend, inequality, contrast, standardisation)
KINDS: Final[Mapping[str, Kind]] = {file.KIND.name: file.KIND for file in _FILES}
