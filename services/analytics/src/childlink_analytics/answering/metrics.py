"""All metrics of the answering process. Labels are methods, outcomes and reasons. None can identify
a person.
"""

from childlink_core import __version__
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, start_http_server


class ServingMetrics:
    """Metrics of `serve`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # The version of the answering process.
        self.build = Info(
            "childlink_serve_build", "Version of the answering process.", registry=self.registry
        )
        self.build.info({"version": __version__})
        # Calls by method and outcome (gRPC status code).
        self.calls = Counter(
            "childlink_serve_calls",
            "Calls, by outcome.",
            ["method", "outcome"],
            registry=self.registry,
        )
        # Time to answer a call, in seconds.
        self.seconds = Histogram(
            "childlink_serve_call_seconds",
            "Time to answer.",
            ["method"],
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5),
        )
        # Cells of answers whose count was withheld, by reason.
        self.withheld = Counter(
            "childlink_serve_cells_withheld",
            "Cells withheld, by reason.",
            ["reason"],
            registry=self.registry,
        )
        # Calls refused before they were answered, by method and reason (unauthenticated, denied).
        self.turned_away = Counter(
            "childlink_serve_calls_refused",
            "Calls turned away.",
            ["method", "reason"],
            registry=self.registry,
        )
        # Releases that are served, and releases that are not served because they are damaged.
        self.releases = Gauge(
            "childlink_serve_releases", "Releases served.", registry=self.registry
        )
        self.damaged = Gauge(
            "childlink_serve_damaged_releases",
            "Releases not served because damaged.",
            registry=self.registry,
        )

    def serve(self, port: int, address: str) -> None:
        """Serve the registry, when a port is set."""
        if port:
            start_http_server(port, addr=address, registry=self.registry)

    def refused(self, _who: str, method: str, why: str) -> None:
        """Count a refused call."""
        self.turned_away.labels(method.rpartition("/")[2], why).inc()
