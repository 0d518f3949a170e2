"""The deployed stack keeps its trust zones separate. The tests attack it from inside the
containers.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy import stack

pytestmark = pytest.mark.usefixtures("loaded")

A, B = stack.PARTNERS
ATTEMPTS = (Path(__file__).parent / "attempts.py").read_text()
SERVICES = (
    "kafka",
    "gatekeeper",
    "linker",
    "linker-db",
    "linker-migrate",
    "analytics",
    "analytics-db",
    "analytics-migrate",
    "answers",
    "partner-a",
    "partner-b",
    "prometheus",
)


def attempt(service: str, *arguments: str, seconds: float = 60) -> str:
    """The result of an attempt from inside a container."""
    return (
        stack.inside(service, "/app/bin/python", "-c", ATTEMPTS, *arguments, seconds=seconds)
        .strip()
        .splitlines()[-1]
    )


def inspect(service: str) -> dict:
    """Docker's description of a container."""
    name = f"{os.environ['CHILDLINK_PROJECT']}-{service}-1"
    docker = subprocess.run(
        ["docker", "inspect", name], capture_output=True, check=True, timeout=30
    )
    return json.loads(docker.stdout)[0]


def addresses(service: str) -> list[str]:
    """All addresses of a container."""
    return [
        network["IPAddress"] for network in inspect(service)["NetworkSettings"]["Networks"].values()
    ]


def held(topic: str) -> float:
    """Number of messages that the broker holds on a topic, as the gatekeeper counts them."""
    return stack.metric("gatekeeper", "childlink_ops_topic_messages")[f'{{topic="{topic}"}}']


# The broker


def test_a_partner_sees_its_own_topics_and_no_others() -> None:
    assert attempt("partner-a", "topics") == f"sees: encodings.{A} observations.{A} receipts.{A}"


def test_a_partner_reads_its_own_receipts() -> None:
    assert attempt("partner-a", "read", f"receipts.{A}") != "read 0"


@pytest.mark.parametrize(
    "topic", [f"receipts.{B}", f"encodings.{B}", f"encodings.{A}", "links", "deadletter.linker"]
)
def test_a_partner_reads_neither_another_s_topics_nor_what_it_has_sent(topic: str) -> None:
    assert attempt("partner-a", "read", topic) in (
        "read 0",
        "refused: TopicAuthorizationFailedError",
    )


def test_a_partner_writes_to_no_topic_but_its_own() -> None:
    there = (f"encodings.{B}", f"observations.{B}", f"receipts.{A}", "links")
    before = {topic: held(topic) for topic in there}
    for topic in (*there, "made-up"):
        assert attempt("partner-a", "write", topic) == "refused: TopicAuthorizationFailedError", (
            topic
        )
    time.sleep(6)  # the gatekeeper counts every five seconds
    assert {topic: held(topic) for topic in there} == before
    assert "made-up" not in str(stack.metric("gatekeeper", "childlink_ops_topic_messages"))


def test_the_broker_takes_no_message_larger_than_a_batch() -> None:
    assert attempt("partner-a", "oversize", f"encodings.{A}").startswith(
        "refused: MessageSizeTooLarge"
    )


def test_the_broker_speaks_no_plaintext() -> None:
    assert attempt("partner-a", "plaintext").startswith("refused")


def test_the_broker_speaks_no_tls_before_1_3() -> None:
    assert attempt("partner-a", "old-tls").startswith("refused")


def test_the_broker_lets_nobody_in_without_a_certificate() -> None:
    assert attempt("partner-a", "tls", "-") != "answered"


def test_the_broker_lets_in_no_certificate_of_another_authority() -> None:
    folder = _hand_to_partner_a(
        "foreign", stack.STACK / "analyst" / "tls.pem", stack.STACK / "analyst" / "tls.key"
    )
    assert attempt("partner-a", "tls", folder) != "answered"


def test_the_broker_lets_in_no_expired_certificate(broker_authority: Path) -> None:
    certificate, key = _expired(broker_authority, A)
    assert (
        attempt("partner-a", "tls", _hand_to_partner_a("expired", certificate, key)) != "answered"
    )


def test_the_broker_lets_in_the_site_s_own_certificate_by_the_same_handshake() -> None:
    etc = stack.STACK / "partners" / A / "etc"
    assert (
        attempt(
            "partner-a", "tls", _hand_to_partner_a("own", etc / "tls.pem", etc / "keys" / "tls.key")
        )
        == "answered"
    )


def test_revocation_is_honoured_within_a_minute_on_an_open_connection_and_renewal_lets_in_again(
    broker_authority: Path,
) -> None:
    etc = stack.STACK / "partners" / B / "etc"
    seen: list[str] = []
    reader = threading.Thread(
        target=lambda: seen.append(
            attempt("partner-b", "keep-reading", f"receipts.{B}", seconds=120)
        )
    )
    reader.start()
    time.sleep(5)
    stack.run("childlink-ops", "partner", "suspend", B, "--authority", broker_authority)
    stack.publish()
    revoked_at = time.monotonic()
    reader.join(timeout=100)
    assert seen == ["refused"]
    assert time.monotonic() - revoked_at < 60
    assert (
        attempt("partner-b", "write", f"encodings.{B}") == "refused: TopicAuthorizationFailedError"
    )
    assert attempt("partner-a", "topics") == f"sees: encodings.{A} observations.{A} receipts.{A}"

    stack.run("childlink-ingest", "keys", "request", B, "--folder", etc / "keys")
    renewed = stack.STACK / "renewed.pem"
    stack.run(
        "childlink-ops",
        "partner",
        "renew",
        B,
        "--request",
        etc / "keys" / "tls-new.csr",
        "--certificate",
        renewed,
        "--authority",
        broker_authority,
    )
    (etc / "keys" / "tls-new.key").replace(etc / "keys" / "tls.key")
    shutil.copy(renewed, etc / "tls.pem")
    stack.hand_to_containers(etc)
    stack.publish()
    stack.wait_for(
        "the renewed certificate to be let in",
        lambda: f"receipts.{B}" in attempt("partner-b", "topics"),
        60,
    )


# Networks


STORES = ("linker-db:5432", "analytics-db:5432")


@pytest.mark.parametrize(
    ("service", "forbidden"),
    [
        (
            "answers",
            (
                *STORES,
                "kafka:9093",
                "analytics:9100",
                "linker:9100",
                "partner-a:9100",
                "gatekeeper:9100",
            ),
        ),
        (
            "linker",
            (
                "analytics-db:5432",
                "analytics:9100",
                "answers:7443",
                "partner-a:9100",
                "gatekeeper:9100",
            ),
        ),
        (
            "analytics",
            ("linker-db:5432", "linker:9100", "answers:7443", "partner-a:9100", "gatekeeper:9100"),
        ),
        (
            "gatekeeper",
            (*STORES, "linker:9100", "analytics:9100", "answers:7443", "partner-a:9100"),
        ),
        (
            "partner-a",
            (
                *STORES,
                "partner-b:9100",
                "linker:9100",
                "analytics:9100",
                "answers:7443",
                "gatekeeper:9100",
            ),
        ),
        (
            "partner-b",
            (
                *STORES,
                "partner-a:9100",
                "linker:9100",
                "analytics:9100",
                "answers:7443",
                "gatekeeper:9100",
            ),
        ),
    ],
)
def test_zones_that_need_not_talk_cannot(service: str, forbidden: tuple[str, ...]) -> None:
    # By name and by every address: a name that cannot be resolved is no protection by itself.
    targets = [
        f"{host}:{port}"
        for name, port in (t.split(":") for t in forbidden)
        for host in (name, *addresses(name))
    ]
    assert attempt(service, "reach", *targets) == "reached:"


@pytest.mark.parametrize(
    ("service", "target"),
    [
        ("partner-a", "kafka:9093"),
        ("linker", "linker-db:5432"),
        ("analytics", "analytics-db:5432"),
        ("answers", "answers:7443"),
    ],
)
def test_zones_that_must_talk_can(service: str, target: str) -> None:
    assert attempt(service, "reach", target) == f"reached: {target}"


@pytest.mark.parametrize("service", ["partner-a", "linker", "analytics", "gatekeeper", "answers"])
def test_nothing_gets_out_of_the_machine(service: str) -> None:
    outside = _reached_from_here()
    if outside is None:
        pytest.skip("this machine itself reaches no name server over TCP: nothing would be shown")
    assert attempt(service, "reach", outside) == "reached:"


def _reached_from_here() -> str | None:
    """An external address that this machine reaches: its name server, over TCP."""
    for line in Path("/etc/resolv.conf").read_text().splitlines():
        server = line.removeprefix("nameserver ").strip()
        if line.startswith("nameserver ") and not server.startswith(("127.", "::1")):
            try:
                with socket.create_connection((server, 53), timeout=3):
                    return f"{server}:53"
            except OSError:
                continue
    return None


# Containers


def test_the_answering_process_holds_releases_and_a_server_s_certificate_only() -> None:
    mounts = {mount["Destination"]: mount["RW"] for mount in inspect("answers")["Mounts"]}
    assert mounts == {
        "/etc/childlink": False,
        "/srv/childlink/releases": False,
        "/srv/childlink/trail": True,
        "/srv/childlink/proposals": True,
    }
    # What analysts propose reaches the release managers, who cannot change it.
    mounts = {mount["Destination"]: mount["RW"] for mount in inspect("analytics")["Mounts"]}
    assert mounts["/srv/childlink/proposals"] is False
    held = {path.name for path in (stack.STACK / "answers" / "etc").iterdir()}
    # The key opens nothing but the trail of questions.
    assert held == {
        "authority",
        "ca.pem",
        "policy.toml",
        "purposes.toml",
        "questions.key",
        "tls.key",
        "tls.pem",
    }
    assert not [
        v
        for v in inspect("answers")["Config"]["Env"]
        if "DATABASE" in v or "PASSWORD" in v or "KAFKA" in v
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_has_no_more_power_than_it_needs(service: str) -> None:
    found = inspect(service)
    assert found["HostConfig"]["ReadonlyRootfs"]
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in found["HostConfig"]["SecurityOpt"]
    assert not found["HostConfig"]["Privileged"]
    assert found["HostConfig"]["Memory"] > 0
    user = found["Config"]["User"].split(":")[0]
    assert user.isdigit()
    assert int(user) > 0


def test_no_secret_is_in_a_container_s_arguments_or_environment() -> None:
    secrets = [path.read_text().strip() for path in stack.STACK.glob("*/*-password")]
    secrets += [
        json.loads(path.read_text())["secret"]
        for path in stack.STACK.rglob("keys/*.key")
        if "tls" not in path.name
    ]
    assert len(secrets) > 10
    for service in SERVICES:
        text = json.dumps(inspect(service))
        assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize(
    ("statement", "came"),
    [
        ("SELECT count(*) FROM audit_entry", "done"),
        ("DELETE FROM audit_entry", "InsufficientPrivilege"),
        ("UPDATE event SET person_id = NULL", "InsufficientPrivilege"),
        ("DROP TABLE record", "InsufficientPrivilege"),
    ],
)
def test_the_linker_cannot_change_its_tables_nor_rewrite_its_audit_trail(
    statement: str, came: str
) -> None:
    code = (
        "import pathlib, psycopg, sys\npassword ="
        " pathlib.Path('/run/secrets/linker_service_password').read_text()\nthere ="
        " psycopg.connect(host='linker-db', dbname='linker', user='linker_service',"
        " password=password)\ntry: there.execute(sys.argv[1]); print('done')\nexcept psycopg.Error"
        " as error: print(type(error).__name__)\n"
    )
    assert stack.inside("linker", "/app/bin/python", "-c", code, statement).strip() == came


@pytest.mark.parametrize("zone", ["linker", "analytics"])
def test_a_database_is_reached_over_tls_alone_and_its_name_is_checked(zone: str) -> None:
    code = (
        "import pathlib, psycopg, sys\n"
        f"password = pathlib.Path('/run/secrets/{zone}_service_password').read_text()\n"
        f"try: there = psycopg.connect(sys.argv[1], dbname='{zone}', user='{zone}_service',"
        " password=password)\n"
        "except psycopg.OperationalError as error: print(str(error).splitlines()[-1])\n"
        "else: print(there.execute('SELECT version FROM pg_stat_ssl WHERE pid ="
        " pg_backend_pid()').fetchone()[0])\n"
    )

    def connected(options: str) -> str:
        return stack.inside(zone, "/app/bin/python", "-c", code, options).strip()

    ca = "sslrootcert=/etc/childlink/ca.pem"
    assert connected(f"host={zone}-db sslmode=verify-full {ca}") == "TLSv1.3"
    assert "no encryption" in connected(f"host={zone}-db sslmode=disable")
    address = addresses(f"{zone}-db")[0]
    assert "does not match host name" in connected(f"host={address} sslmode=verify-full {ca}")
    other = {"linker": "stewards", "analytics": "managers"}[zone]
    another = f"sslrootcert=/etc/childlink/{other}/authority/ca.pem"
    assert "certificate verify failed" in connected(f"host={zone}-db sslmode=verify-full {another}")


def test_every_connection_to_a_database_is_encrypted() -> None:
    for zone in ("linker", "analytics"):
        said = stack.inside(
            f"{zone}-db",
            "psql",
            *("-U", zone, "-d", zone, "-At", "-c"),
            "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
            " WHERE client_addr IS NOT NULL",
        )
        assert said.split() == ["t"]


@pytest.mark.parametrize("service", ["linker", "analytics"])
def test_a_service_does_not_have_its_tables_owners_password(service: str) -> None:
    mounted = {mount["Destination"] for mount in inspect(service)["Mounts"]}
    assert {path for path in mounted if "password" in path} == {
        f"/run/secrets/{service}_service_password"
    }


def test_the_ingest_image_holds_ingest_only() -> None:
    code = (
        "import importlib.util as u; print([m for m in ('childlink_linker', 'childlink_analytics',"
        " 'childlink_local', 'childlink_client', 'childlink_ops', 'grpc', 'duckdb', 'alembic') if"
        " u.find_spec(m)])"
    )
    assert stack.inside("partner-a", "/app/bin/python", "-c", code).strip() == "[]"


@pytest.mark.parametrize("service", ["partner-a", "linker", "analytics", "gatekeeper"])
def test_an_image_holds_the_locked_versions_and_nothing_else(service: str) -> None:
    code = (
        "import importlib.metadata as m; print(*{d.metadata['Name'].lower().replace('_', '-') +"
        " '==' + d.version for d in"
        " m.distributions(path=[__import__('sysconfig').get_path('purelib')])})"
    )
    lock = {
        line.split()[0].split(";")[0].lower()
        for line in (stack.ROOT / "requirements.lock").read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    installed = set(stack.inside(service, "/app/bin/python", "-c", code).split())
    assert {item for item in installed if not item.startswith("childlink-")} <= lock


def _hand_to_partner_a(name: str, certificate: Path, key: Path) -> str:
    folder = stack.STACK / "partners" / A / "srv" / name
    folder.mkdir(exist_ok=True)
    shutil.copy(certificate, folder / "tls.pem")
    shutil.copy(key, folder / "tls.key")
    stack.hand_to_containers(folder)
    return f"/srv/childlink/{name}"


def _expired(authority: Path, name: str) -> tuple[Path, Path]:
    """A certificate like the authority's, but from last week."""
    ca = x509.load_pem_x509_certificate((authority / "ca.pem").read_bytes())
    signer = serialization.load_pem_private_key((authority / "ca.key").read_bytes(), None)
    key, serial, now = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.random_serial_number(),
        datetime.now(UTC),
    )
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "partner"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.USER_ID, f"{serial:040x}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=8))
        .not_valid_after(now - timedelta(days=1))
        .sign(signer, hashes.SHA256())  # type: ignore[arg-type]
    )
    paths = stack.STACK / "expired.pem", stack.STACK / "expired.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    return paths


@pytest.mark.parametrize("step", ["prepare", "up", "down", "clean"])
def test_another_checkout_can_neither_stop_nor_delete_this_stack(step: str, tmp_path: Path) -> None:
    before = stack.containers(), stack.volumes()
    elsewhere = {
        **os.environ,
        "CHILDLINK_STACK": str(tmp_path / ".stack"),
        "CHILDLINK_DELETE": stack.project(),
    }
    command = [sys.executable, str(stack.ROOT / "deploy" / "stack.py"), step]
    done = subprocess.run(
        command, env=elsewhere, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "not this checkout's" in done.stderr
    assert "Traceback" not in done.stderr
    assert (stack.containers(), stack.volumes()) == before
