"""`childlink-ops doctor`: a hub that is set up right has nothing to fix, and each thing that is
wrong is named, with what to do.
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from childlink_bus.ports import BusError
from childlink_core import checkup
from childlink_core.checkup import examine
from childlink_core.directory import Member, read_directory, render_directory
from childlink_core.keys import OpeningKey, SigningKey, write_key
from childlink_ops import authority as ops
from childlink_ops import clock
from childlink_ops.broker import Changes
from childlink_ops.cli import main
from childlink_ops.doctor import BrokerLook, checks
from childlink_ops.settings import GatekeeperSettings
from click.testing import CliRunner

from tests.support.pki import OperatorsAuthority

ALL_WELL = BrokerLook(
    Changes([], [], []), {"encodings.trust-a": 1_700_000_000_000}, {"broker 1: /d": 10**12}
)
NAMES = ("trust-a", "linker", "analytics")


class Hub:
    """A hub's files, as they should be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pki = OperatorsAuthority(folder / "laptop" / "authority")
        self.certificate, self.key = self.pki.issue("operator", "gatekeeper")
        self.pki.issue("partner", "trust-a")
        for service in ("linker", "analytics"):
            self.pki.issue("service", service)
        self.signing = {name: SigningKey.generate(name) for name in NAMES}
        self.opening = {name: OpeningKey.generate(name) for name in NAMES}
        self.keys = folder / "keys"
        write_key(self.keys / "signing.key", self.signing["linker"])
        write_key(self.keys / "opening.key", self.opening["linker"])
        self.directory = folder / "directory.toml"
        self.list_members(*NAMES)
        self.publish()
        self.look = lambda: ALL_WELL

    def list_members(self, *names: str) -> None:
        members = [
            Member(n, n, (self.signing[n].public(),), (self.opening[n].public(),)) for n in names
        ]
        self.directory.write_text(render_directory(members, {1: "9f86d081"}))

    def publish(self) -> None:
        ops.Register(self.pki.folder).publish(self.folder / "authority")

    @property
    def settings(self) -> GatekeeperSettings:
        return GatekeeperSettings(
            directory=self.directory,
            authority=self.folder / "authority",
            disk=self.folder,
            kafka_tls_ca=self.folder / "authority" / "ca.pem",
            kafka_tls_certificate=self.certificate,
            kafka_tls_key=self.key,
        )

    def wrong(self) -> dict[str, str]:
        """What the doctor wants fixed: what, and what it says of it."""
        found = [f for f in examine(checks(self.settings, [self.keys], self.look)) if not f.ok]
        assert all(finding.remedy for finding in found), "each says what to do"
        return {finding.what: finding.says for finding in found}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    space = SimpleNamespace(free=10**12)
    monkeypatch.setattr(checkup.shutil, "disk_usage", lambda folder: folder.stat() and space)
    return Hub(tmp_path)


def test_a_hub_that_is_set_up_right_has_nothing_to_fix(hub: Hub) -> None:
    assert hub.wrong() == {}


def _revoke(hub: Hub, name: str) -> None:
    signer = ops.Authority(hub.pki.folder)
    signer.revoke([item.serial for item in signer.certificates() if item.name == name])
    hub.publish()


def _share_a_key(hub: Hub) -> None:
    hub.signing["analytics"] = SigningKey("analytics", hub.signing["linker"].secret)
    hub.list_members(*NAMES)


def _look(hub: Hub, **changed: object) -> None:
    hub.look = lambda: BrokerLook(**{**vars(ALL_WELL), **changed})  # type: ignore[arg-type]


def _own(hub: Hub, kind: str, name: str, days: int) -> None:
    hub.certificate, hub.key = hub.pki.issue(kind, name, days=days)
    hub.publish()


def _another_authority(hub: Hub) -> None:
    hub.certificate, hub.key = OperatorsAuthority(hub.folder / "other" / "a").issue(
        "operator", "gatekeeper"
    )


IN_AN_HOUR = int(time.time() * 1000) + 3_600_000


@pytest.mark.parametrize(
    ("spoil", "what", "says"),
    [
        (lambda h: h.list_members("trust-a", "linker"), "directory", "does not list analytics"),
        (_share_a_key, "directory", "have the same key"),
        (lambda h: h.directory.write_text("members = 1"), "directory", "is not a directory file"),
        (
            lambda h: (h.folder / "authority" / "ca.key").write_text("x"),
            "authority",
            "private key is on the gatekeeper's machine",
        ),
        (lambda h: (h.folder / "authority" / "crl.pem").unlink(), "authority", "cannot be read"),
        (lambda h: _revoke(h, "trust-a"), "members' certificates", "No valid certificate: trust-a"),
        (
            lambda h: h.list_members("linker", "analytics"),
            "members' certificates",
            "does not list: trust-a",
        ),
        (lambda h: _own(h, "operator", "gatekeeper", 20), "own certificate", "expires on"),
        (lambda h: _own(h, "service", "linker", 90), "own certificate", "kind is service"),
        (lambda h: _revoke(h, "gatekeeper"), "own certificate", "is revoked"),
        (_another_authority, "own certificate", "was not signed by"),
        (lambda h: h.key.chmod(0o644), "own certificate", "can be read by other users"),
        (lambda h: h.key.unlink(), "own certificate", "cannot be read"),
        (lambda h: (h.keys / "signing.key").chmod(0o640), "keys in", "can be read by other users"),
        (lambda h: (h.keys / "opening.key").write_text("{}"), "keys in", "is not a key file"),
        (
            lambda h: (
                h.signing.update(linker=SigningKey.generate("linker")) or h.list_members(*NAMES)
            ),
            "keys in",
            "directory does not list",
        ),
        (
            lambda h: _look(h, changes=Changes([], [], ["allow User:x read topic links"])),
            "topics and rights",
            "User:x",
        ),
        (lambda h: _look(h, free_bytes={"broker 1: /d": 10}), "brokers' disks", "Only 0.0 GB"),
        (
            lambda h: _look(h, newest_ms={"links": IN_AN_HOUR}),
            "clock",
            "topic links: written up to",
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_else(hub: Hub, spoil, what: str, says: str) -> None:
    spoil(hub)
    wrong = {name: text for name, text in hub.wrong().items() if not name.startswith(what)}
    named = [text for name, text in hub.wrong().items() if name.startswith(what)]
    assert len(named) == 1
    assert says in named[0]
    # What cannot be read at all is missed by the checks that need it too.
    if "cannot be read" not in says and "not a directory" not in says:
        assert set(wrong) <= {"members' certificates"}, wrong


def test_a_certificate_that_has_ended_is_named_before_the_broker_that_refuses_it(hub: Hub) -> None:
    def refuses() -> BrokerLook:
        raise BusError("Kafka cannot be reached.", "Check.")

    hub.look = refuses
    hub.certificate, hub.key = hub.pki.issue("operator", "gatekeeper", days=0)
    wrong = hub.wrong()
    assert list(wrong)[:2] == ["own certificate", "broker"]
    assert "expired on" in wrong["own certificate"]
    assert all(
        "the broker check failed" in wrong[what]
        for what in ("topics and rights", "brokers' disks", "clock")
    )


def test_a_revocation_list_that_grows_old_is_named_and_signed_anew(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops, "_CRL_DAYS", 10)
    ops.Authority(hub.pki.folder).revoke(())
    hub.publish()
    assert "The revocation list expires" in hub.wrong()["authority"]
    monkeypatch.undo()
    done = CliRunner().invoke(main, ["ca", "refresh", "--authority", str(hub.pki.folder)])
    assert done.exit_code == 0, done.output
    hub.publish()
    assert hub.wrong() == {}


def test_a_slow_clock_shows_against_the_revocation_list(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = (datetime.now(UTC) - timedelta(hours=2)).timestamp()
    monkeypatch.setattr("childlink_ops.doctor.time.time", lambda: slow)
    assert "the revocation list: written up to" in hub.wrong()["clock"]


def test_a_clock_is_compared_with_a_time_server_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket
    import threading

    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def answer() -> None:
        for error in (100, -100):
            question, who = server.recvfrom(512)
            assert len(question) == 48
            seconds = int(time.time()) + error + 2_208_988_800
            server.sendto(b"\x24\x02" + bytes(38) + seconds.to_bytes(4, "big") + bytes(4), who)

    thread = threading.Thread(target=answer)
    thread.start()
    there = f"127.0.0.1:{server.getsockname()[1]}"
    assert -101 < clock.ahead_of(there) < -98
    assert 98 < clock.ahead_of(there) < 102
    thread.join()
    server.close()


def test_the_command_prints_what_to_do_and_exits_1(hub: Hub) -> None:
    file = hub.folder / "ops.toml"
    file.write_text(
        f'directory = "{hub.directory}"\nauthority ='
        f' "{hub.folder / "authority"}"\nbootstrap_servers = "127.0.0.1:1"\n'
    )
    done = CliRunner().invoke(main, ["doctor", "--settings", str(file), "--keys", str(hub.keys)])
    assert done.exit_code == 1
    assert "ok   directory: 1 partners" in done.output
    assert "FIX  broker: Kafka cannot be reached at 127.0.0.1:1" in done.output
    assert "what to do:" in done.output
    assert hub.signing["linker"].secret.hex() not in done.output
    assert read_directory(hub.directory).partners == ["trust-a"]
