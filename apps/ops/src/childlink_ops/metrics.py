"""The metrics of the gatekeeper. Labels are members and topics; they cannot identify a person."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from childlink_core import __version__
from prometheus_client import CollectorRegistry, Counter, Gauge, Info, start_http_server

from childlink_ops.authority import Issued


class GatekeeperMetrics:
    """Create one per process. `registry` is served."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # The running version.
        self.build = Info(
            "childlink_ops_build", "Version of the gatekeeper.", registry=self.registry
        )
        self.build.info({"version": __version__})
        # Latest expiry of each member's certificates, in Unix seconds. Revoked ones do not count: a
        # member without a series has no access.
        self.certificate_ends = Gauge(
            "childlink_ops_certificate_expiry_timestamp_seconds",
            "Expiry of a member's last valid certificate.",
            ["kind", "name"],
            registry=self.registry,
        )
        # When the revocation list expires, in Unix seconds. From then on, every caller with a
        # certificate is refused.
        self.list_ends = Gauge(
            "childlink_ops_revocation_list_expiry_timestamp_seconds",
            "Expiry of the revocation list.",
            registry=self.registry,
        )
        # Certificates on the revocation list.
        self.revoked = Gauge(
            "childlink_ops_revoked_certificates", "Certificates revoked.", registry=self.registry
        )
        # Last time that the broker's rights were correct or were corrected, in Unix seconds.
        self.aligned_at = Gauge(
            "childlink_ops_broker_aligned_timestamp_seconds",
            "Last time that all rights were correct.",
            registry=self.registry,
        )
        # Rights removed from the broker: of revoked certificates, of former members, and those that
        # another tool granted.
        self.taken = Counter(
            "childlink_ops_rights_removed", "Rights removed.", registry=self.registry
        )
        # Failed checks: the broker did not answer, or the authority's files are not valid.
        self.failures = Counter(
            "childlink_ops_failures", "Checks that failed.", registry=self.registry
        )
        # Number of messages in each topic.
        self.messages = Gauge(
            "childlink_ops_topic_messages",
            "Messages in the topic.",
            ["topic"],
            registry=self.registry,
        )

    def serve(self, port: int, address: str) -> None:
        """Serve the registry, if a port is set."""
        if port:
            start_http_server(port, addr=address, registry=self.registry)

    def certificates(self, certificates: Iterable[Issued], list_ends: datetime) -> None:
        """Set the metrics of certificates and of the revocation list."""
        self.list_ends.set(list_ends.timestamp())
        known = list(certificates)
        self.certificate_ends.clear()
        for issued in sorted(known, key=lambda item: item.expires):
            if not issued.revoked:
                self.certificate_ends.labels(issued.kind, issued.name).set(
                    issued.expires.timestamp()
                )
        self.revoked.set(sum(issued.revoked for issued in known))

    def depth(self, messages: Mapping[str, int]) -> None:
        """Set the number of messages in each topic."""
        self.messages.clear()
        for topic, count in messages.items():
            self.messages.labels(topic).set(count)
