"""Keeps the broker's rights up to date with the authority and the directory.

A revoked certificate loses its rights within seconds. The gatekeeper holds only the authority's
public half: it can neither issue nor revoke.
"""

import threading
import time
from pathlib import Path
from typing import Final

import structlog
from childlink_core.directory import read_directory
from childlink_core.errors import UserError

from childlink_ops.authority import Register
from childlink_ops.broker import Changes, open_broker
from childlink_ops.metrics import GatekeeperMetrics
from childlink_ops.settings import GatekeeperSettings

log = structlog.get_logger()

# For the container's health check: the file is younger than this while checks succeed.
HEALTHY_FOR_S: Final = 60.0


def align(
    settings: GatekeeperSettings, metrics: GatekeeperMetrics, *, dry_run: bool = False
) -> Changes:
    """Apply the authority's and the directory's content to the broker once. Raises UserError."""
    partners = read_directory(settings.directory).partners
    register = Register(settings.authority)
    certificates = register.certificates()
    metrics.certificates(certificates, register.list_ends())
    with open_broker(settings, settings.replication, settings.retention_days) as broker:
        changes = broker.align(partners, certificates, dry_run=dry_run)
        if not dry_run:
            metrics.depth(broker.depth(partners))
    if not dry_run:
        metrics.taken.inc(len(changes.taken))
        metrics.aligned_at.set(time.time())
    return changes


def run(
    settings: GatekeeperSettings,
    metrics: GatekeeperMetrics,
    stop: threading.Event,
    sign_of_life: Path,
) -> None:
    """Update the broker repeatedly, until `stop`. A failed update is counted; the next one tries
    again.
    """
    while not stop.is_set():
        try:
            changes = align(settings, metrics)
        except UserError as error:
            metrics.failures.inc()
            log.warning("rights were not checked", reason=error.problem)
        else:
            sign_of_life.touch()
            for topic in changes.topics:
                log.info("topic created", topic=topic)
            for who, grant in changes.given:
                log.info("right given", sender=who, topic=grant.topic, outcome=grant.right)
            for right in changes.taken:
                log.warning("right taken", outcome=right)
        stop.wait(settings.every_s)
