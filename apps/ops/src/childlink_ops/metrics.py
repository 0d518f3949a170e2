"""Every metric of the gatekeeper. Labels are members and topics: none can single out a person."""

from collections.abc import Iterable, Mapping

from childlink_core import __version__
from prometheus_client import CollectorRegistry, Counter, Gauge, Info, start_http_server

from childlink_ops.authority import Issued


class GatekeeperMetrics:
    """Create one per process; `registry` is what is served."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Which version runs here.
        self.build = Info(
            "childlink_ops_build", "Version of the gatekeeper.", registry=self.registry
        )
        self.build.info({"version": __version__})
        # When the certificate of each member that ends last ends, Unix seconds. Revoked ones do not
        # count: no series, no access.
        self.certificate_ends = Gauge(
            "childlink_ops_certificate_expiry_timestamp_seconds",
            "End of a member's last valid certificate.",
            ["kind", "name"],
            registry=self.registry,
        )
        # Certificates on the revocation list.
        self.revoked = Gauge(
            "childlink_ops_revoked_certificates", "Certificates revoked.", registry=self.registry
        )
        # When the broker's rights were last found, or made, to be as they should be, Unix seconds.
        self.aligned_at = Gauge(
            "childlink_ops_broker_aligned_timestamp_seconds",
            "Last time that rights were right.",
            registry=self.registry,
        )
        # Rights taken from the broker: revoked certificates, members who left, and rights that
        # somebody else had given.
        self.taken = Counter(
            "childlink_ops_rights_removed", "Rights removed.", registry=self.registry
        )
        # Looks that failed: the broker did not answer, or the authority's files cannot be believed.
        self.failures = Counter(
            "childlink_ops_failures", "Looks that failed.", registry=self.registry
        )
        # Messages that each topic holds.
        self.messages = Gauge(
            "childlink_ops_topic_messages", "Messages held.", ["topic"], registry=self.registry
        )

    def serve(self, port: int, address: str) -> None:
        """Serve the registry, when a port is set."""
        if port:
            start_http_server(port, addr=address, registry=self.registry)

    def certificates(self, certificates: Iterable[Issued]) -> None:
        """Set what is known of certificates."""
        known = list(certificates)
        self.certificate_ends.clear()
        for issued in sorted(known, key=lambda item: item.expires):
            if not issued.revoked:
                self.certificate_ends.labels(issued.kind, issued.name).set(
                    issued.expires.timestamp()
                )
        self.revoked.set(sum(issued.revoked for issued in known))

    def depth(self, messages: Mapping[str, int]) -> None:
        """Set how full topics are."""
        self.messages.clear()
        for topic, count in messages.items():
            self.messages.labels(topic).set(count)
