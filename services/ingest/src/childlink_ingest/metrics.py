"""The metrics of ingest.

They count rows of a site's whole extracts. No label can identify a person.
"""

import structlog
from childlink_core import __version__
from cryptography import x509
from prometheus_client import CollectorRegistry, Counter, Gauge, Info, start_http_server

from childlink_ingest.settings import IngestSettings
from childlink_ingest.spool import RunReport, Spool

log = structlog.get_logger()


class IngestMetrics:
    """Create one per process. `registry` is served."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # The running version.
        self.build = Info("childlink_ingest_build", "Version of ingest.", registry=self.registry)
        self.build.info({"version": __version__})
        # Rows of extracts by their outcome at the site. `outcome` is staged, rejected,
        # permitted_out or deleted; together these are all rows read.
        self.rows = Counter(
            "childlink_ingest_rows",
            "Rows read, by outcome.",
            ["dataset", "outcome"],
            registry=self.registry,
        )
        # Sealed batches by state. Queued should fall to 0 soon after a run; refused should stay 0.
        self.batches = Gauge(
            "childlink_ingest_spool_batches",
            "Batches in the spool, by state.",
            ["state"],
            registry=self.registry,
        )
        # 1 while runs wait for `after-restore`, because the spool was restored from a backup or
        # newly made; otherwise 0.
        self.runs_held = Gauge(
            "childlink_ingest_runs_held",
            "Whether runs wait for after-restore.",
            registry=self.registry,
        )
        # Age of the oldest run that waits for receipts, in seconds.
        self.waiting_age = Gauge(
            "childlink_ingest_oldest_waiting_seconds",
            "Age of the oldest run with unanswered rows.",
            registry=self.registry,
        )
        # Receipts that this site has not read yet.
        self.lag = Gauge(
            "childlink_ingest_consumer_lag_messages",
            "Receipts not yet read.",
            ["topic"],
            registry=self.registry,
        )
        # Number of times that the broker's log of receipts ended before the last offset read. The
        # log is then read from its beginning, and unanswered batches are sent again.
        self.logs_lost = Counter(
            "childlink_ingest_logs_lost",
            "Topics read from their beginning again.",
            ["topic"],
            registry=self.registry,
        )

        # When this site's certificate for the broker expires, in Unix seconds; 0 without one.
        self.certificate_ends = Gauge(
            "childlink_ingest_certificate_expiry_timestamp_seconds",
            "End of the client certificate.",
            registry=self.registry,
        )
        # Modification time of the permitted list, in Unix seconds; 0 without one.
        self.permitted_list_at = Gauge(
            "childlink_ingest_permitted_list_timestamp_seconds",
            "Time of the permitted list.",
            registry=self.registry,
        )

        # Mappings in the watched folder that cannot be used. Their extracts wait in the inbox.
        self.mappings_unusable = Gauge(
            "childlink_ingest_mappings_unusable",
            "Mappings that cannot be used.",
            registry=self.registry,
        )

    def expiry(self, settings: IngestSettings) -> None:
        """Set the metrics of certificates and lists that expire."""
        certificate, permitted = settings.kafka_tls_certificate, settings.permitted_list
        if certificate and certificate.is_file():
            ends = x509.load_pem_x509_certificates(certificate.read_bytes())[0].not_valid_after_utc
            self.certificate_ends.set(ends.timestamp())
        if permitted and permitted.is_file():
            self.permitted_list_at.set(permitted.stat().st_mtime)

    def serve(self, port: int, address: str) -> None:
        """Serve the registry, if a port is set.

        A run beside `watch`, which holds the port, goes on without: what it sends matters more.
        """
        if not port:
            return
        try:
            start_http_server(port, addr=address, registry=self.registry)
        except OSError as error:
            log.warning("metrics are not served", port=port, error_type=type(error).__name__)

    def run_staged(self, report: RunReport) -> None:
        """Count the rows of a run."""
        self.rows.labels(report.dataset, "rejected").inc(report.rejected)
        self.rows.labels(report.dataset, "permitted_out").inc(report.permitted_out)
        self.rows.labels(report.dataset, "deleted").inc(report.deleted)
        left = report.rejected + report.permitted_out + report.deleted
        self.rows.labels(report.dataset, "staged").inc(report.rows_read - left)

    def log_lost(self, topic: str) -> None:
        """Count a log of receipts that ended before the last offset read."""
        self.logs_lost.labels(topic).inc()

    def spool_state(self, spool: Spool, lag: dict[str, int]) -> None:
        """Set the gauges."""
        for state in ("queued", "sent", "accepted", "refused"):
            self.batches.labels(state).set(spool.count_batches(state))
        lost = spool.lost_past()
        self.runs_held.set(lost is not None and not lost.confirmed)
        self.waiting_age.set(spool.oldest_waiting_run_age())
        for topic, messages in lag.items():
            self.lag.labels(topic).set(messages)
