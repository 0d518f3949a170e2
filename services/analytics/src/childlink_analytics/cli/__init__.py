"""The commands of `childlink-analytics`. An installation for answering only has no commands for the
store and for releases.
"""

from importlib.util import find_spec

from childlink_analytics.cli import answering, keys, trails
from childlink_analytics.cli.common import main

__all__ = ["answering", "keys", "main", "trails"]

# These modules need the extra `releasing`.
if find_spec("sqlalchemy") is not None:
    from childlink_analytics.cli import proposing, releasing, running

    __all__ += ["proposing", "releasing", "running"]
