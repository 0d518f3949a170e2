"""An answering process's service, in this process: for a demo and for pilots."""

from pathlib import Path
from typing import Any

from childlink_analytics.answering.app import build_access
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.service import serve
from childlink_analytics.settings import ServingSettings


def serve_releases(releases: Path, address: str) -> tuple[Any, int]:
    """Start answering questions of a folder of releases. Returns the gRPC server and its port."""
    settings = ServingSettings(
        releases=releases, proposals=releases.parent / "proposals", address=address
    )
    return serve(settings, ServingMetrics(), build_access(settings))
