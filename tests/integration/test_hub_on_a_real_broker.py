"""The gatekeeper's work and `childlink-ops doctor` on a real broker with TLS, certificates and
access rights.
"""

import re

import pytest
from childlink_bus.kafka import connect
from childlink_core.checkup import examine
from childlink_core.directory import Member, render_directory
from childlink_core.keys import OpeningKey, SigningKey
from childlink_ops import authority as ops
from childlink_ops import gatekeeper
from childlink_ops.doctor import checks
from childlink_ops.metrics import GatekeeperMetrics
from childlink_ops.settings import GatekeeperSettings
from kafka import KafkaProducer

from tests.support import real
from tests.support.pki import OperatorsAuthority

pytestmark = [pytest.mark.real, pytest.mark.slow]

# As deploy/kafka/server.properties has it; the tests' plaintext listener is the broker's own.
RIGHTS = [
    "ssl.enabled.protocols=TLSv1.3",
    (
        "ssl.principal.mapping.rules=RULE:^UID=([0-9a-f]+),CN=([a-z0-9.-]+),OU=(partner|service)$/$3.$2.$1/,"
        "RULE:^UID=[0-9a-f]+,CN=([a-z0-9.-]+),OU=(broker|operator)$/$2.$1/"
    ),
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users=User:ANONYMOUS;User:operator.gatekeeper",
    "allow.everyone.if.no.acl.found=false",
    "auto.create.topics.enable=false",
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    if why := real.fetch_jars():
        real.unavailable("Kafka", why)
    folder = tmp_path_factory.mktemp("hub")
    pki = OperatorsAuthority(folder / "authority")
    certificate, key = pki.issue("operator", "gatekeeper")
    for kind, name in (("partner", "trust-a"), ("service", "linker"), ("service", "analytics")):
        pki.issue(kind, name)
    broker = real.KafkaBroker(folder / "kafka", pki, RIGHTS)
    broker.start()
    (folder / "published").mkdir()
    ops.Register(pki.folder).publish(folder / "published")
    members = [
        Member(n, n, (SigningKey.generate(n).public(),), (OpeningKey.generate(n).public(),))
        for n in ("trust-a", "linker", "analytics")
    ]
    (folder / "directory.toml").write_text(render_directory(members, {1: "9f86d081"}))
    yield GatekeeperSettings(
        directory=folder / "directory.toml",
        authority=folder / "published",
        bootstrap_servers=broker.tls_address,
        kafka_tls_ca=pki.ca,
        kafka_tls_certificate=certificate,
        kafka_tls_key=key,
        replication=1,
    )
    broker.kill()


# How full the machine's own disks are is not this hub's doing.
MACHINE = {"disk", "brokers' disks"}


def wrong(settings):
    return {
        finding.what: finding.says
        for finding in examine(checks(settings))
        if not finding.ok and finding.what not in MACHINE
    }


def test_the_doctor_finds_rights_that_are_missing_and_rights_that_nobody_should_have(settings):
    assert "topic  encodings.trust-a" in wrong(settings)["topics and rights"]
    gatekeeper.align(settings, GatekeeperMetrics())
    producer = connect(KafkaProducer, settings)
    producer.send("links", b"x", timestamp_ms=1_700_000_000_000).get(timeout=20)
    assert wrong(settings) == {}
    said = {finding.what: finding.says for finding in examine(checks(settings))}
    assert re.search(r"GB (are )?free at broker 1", said["brokers' disks"])

    from kafka import KafkaAdminClient
    from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

    admin = connect(KafkaAdminClient, settings)
    pattern = ResourcePattern(ResourceType.TOPIC, "links")
    admin.create_acls(
        [ACL("User:mallory", "*", ACLOperation.READ, ACLPermissionType.ALLOW, pattern)]
    )
    assert "User:mallory" in wrong(settings)["topics and rights"]
    gatekeeper.align(settings, GatekeeperMetrics())
    assert wrong(settings) == {}
    admin.close()

    import time

    producer.send("links", b"y", timestamp_ms=int(time.time() * 1000) + 600_000).get(timeout=20)
    producer.close()
    assert "topic links: written up to" in wrong(settings)["clock"]


def test_a_certificate_that_is_no_operators_is_named(settings):
    folder = settings.kafka_tls_certificate.parents[1] / "partner-trust-a"
    partner = settings.model_copy(
        update={"kafka_tls_certificate": folder / "tls.pem", "kafka_tls_key": folder / "tls.key"}
    )
    found = wrong(partner)
    assert "kind is partner" in found["own certificate"]
    assert "topics and rights" in found, "and it may not ask who has which right"
