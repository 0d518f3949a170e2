"""A partner's ingest is killed at any moment and reaches its broker through a proxy that dies. No
record is lost or doubled.
"""

import json
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from childlink_ingest.spool import open_spool
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.demo import own_settings
from childlink_local.pilot import Extract
from childlink_local.synth import synthesise
from childlink_local.workspace import create_workspace

from tests.support import real
from tests.support.pki import Authority

INGEST = Path(sys.executable).parent / "childlink-ingest"
KILLS = 8


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    synthesise(folder, seed=11, children=1200)
    return folder


class Site:
    """One partner's ingest as processes, and a hub in this process."""

    def __init__(self, folder, data, address, mock=True, **own):
        self.extract = data / "community-health" / "asq3.csv"
        extract = Extract("community-health", self.extract, self.extract.with_suffix(".toml"))
        settings = own_settings(data, folder / "areas.sqlite", [extract])
        settings["community-health"] |= own
        self.layout = create_workspace(
            folder / "work", ["community-health"], address, mock=mock, own=settings
        )
        self.settings = self.layout.ingest["community-health"]
        values = self.settings.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        self.file = folder / "s.toml"
        self.file.write_text(
            "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
        )
        mapping = self.extract.with_suffix(".toml")
        for step in (
            ["preview", self.extract, "--mapping", mapping],
            ["approve", mapping, "--by", "A. Shah"],
        ):
            assert self.start(*step).wait(timeout=60) == 0

    def start(self, *arguments):
        command = [str(INGEST), "--settings", str(self.file), *map(str, arguments)]
        return subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.file.parent,
            text=True,
        )

    def run(self):
        return self.start(
            "run", self.extract, "--mapping", self.extract.with_suffix(".toml"), "--wait", "0"
        )

    def hub_counts(self):
        with sa.create_engine(self.layout.linker.database).connect() as tx:
            linker = [
                tx.execute(sa.text(f"SELECT count(*) FROM {t}")).scalar()
                for t in ("subject", "record")
            ]
        with sa.create_engine(self.layout.store.database).connect() as tx:
            rows = tx.execute(sa.text("SELECT count(*) FROM observation")).scalar()
        return [*linker, rows]


def settle(site):
    with pilot.open_hub(site.layout) as hub, open_spool(site.settings.spool) as spool:
        pilot.exchange(site.settings, spool, hub)
        return spool.report(spool.runs()[0]), spool.incidents()


def test_ingest_killed_at_any_moment_loses_nothing_and_sends_nothing_twice(tmp_path, data):
    with mock_broker() as address:
        (tmp_path / "a").mkdir()
        quiet = Site(tmp_path / "a", data, address)
        started = time.monotonic()
        assert quiet.run().wait(timeout=120) in (0, 3, 4)
        whole = time.monotonic() - started
        undisturbed, incidents = settle(quiet)
        assert not incidents
        expected = quiet.hub_counts()
    assert expected[2] == undisturbed.accepted > 500
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    with mock_broker() as address:
        (tmp_path / "b").mkdir()
        site = Site(tmp_path / "b", data, address)
        killed = 0
        for _ in range(KILLS):
            process = site.run()
            time.sleep(rng.uniform(0.2, whole))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.communicate(timeout=60)
        assert killed >= KILLS // 3, f"seed {seed}"
        last = site.run()
        errors = last.communicate(timeout=120)[1]
        assert last.returncode in (0, 3, 4), errors
        report, incidents = settle(site)
        assert not incidents, f"seed {seed}"
        assert (report.rows_read, report.accepted, report.waiting) == (
            undisturbed.rows_read,
            undisturbed.accepted,
            0,
        ), f"seed {seed}"
        assert site.hub_counts() == expected, f"seed {seed}"


class Proxy:
    """An HTTP proxy that supports CONNECT only and can be shut down."""

    def __init__(self):
        self.connects = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        request = b""
        while b"\r\n\r\n" not in request:
            part = client.recv(4096)
            if not part:
                return
            request += part
        method, target, _ = request.split(b"\r\n")[0].split(b" ")
        self.connects.append((method, target))
        host, port = target.decode().rsplit(":", 1)
        with client, socket.create_connection((host, int(port))) as upstream:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            pairs = {client: upstream, upstream: client}
            while True:
                for end in select.select(list(pairs), [], [], 30)[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    pairs[end].sendall(data)

    def shut(self):
        self._server.close()


def test_a_site_that_reaches_the_broker_through_a_proxy_only(tmp_path, data):
    with mock_broker() as address:
        proxy = Proxy()
        site = Site(tmp_path, data, address, kafka_proxy=proxy.address)
        process = site.run()
        errors = process.communicate(timeout=120)[1]
        assert process.returncode in (0, 3, 4), errors
        assert proxy.connects
        assert {method for method, _ in proxy.connects} == {b"CONNECT"}
        with open_spool(site.settings.spool) as spool:
            assert spool.count_batches("sent") > 0
            assert spool.count_batches("queued") == 0
        proxy.shut()
        again = site.start("send", "--wait", "1")
        errors = again.communicate(timeout=120)[1]
        assert again.returncode != 0
        assert "Traceback" not in errors


@pytest.mark.real
def test_a_certificate_that_expired_stops_sending_and_a_new_one_sends_what_was_kept(tmp_path, data):
    if why := real.fetch_jars():
        real.unavailable("Kafka", why)
    authority = Authority(tmp_path / "pki")
    broker = real.KafkaBroker(tmp_path / "kafka", authority)
    broker.start()
    try:
        certificate, key = authority.sign("community-health", expires=timedelta(days=-1))
        tls = {
            "kafka_tls_ca": authority.ca,
            "kafka_tls_certificate": certificate,
            "kafka_tls_key": key,
        }
        site = Site(tmp_path, data, broker.tls_address, mock=False, **tls)
        process = site.run()
        errors = process.communicate(timeout=200)[1]
        assert process.returncode != 0
        assert "Traceback" not in errors
        with open_spool(site.settings.spool) as spool:
            kept = spool.count_batches("queued")
            assert kept > 0, "everything is safe in the spool"
        authority.sign("community-health")
        again = site.start("send", "--wait", "0")
        errors = again.communicate(timeout=120)[1]
        with open_spool(site.settings.spool) as spool:
            assert (spool.count_batches("sent"), spool.count_batches("queued")) == (kept, 0), errors
    finally:
        broker.kill()


def test_a_client_certificate_that_cannot_be_used_stops_sending_and_keeps_everything(
    tmp_path, data
):
    with mock_broker() as address:
        broken = tmp_path / "ca.pem"
        broken.write_text("not a certificate\n")
        site = Site(tmp_path, data, address, kafka_tls_ca=broken)
        process = site.run()
        errors = process.communicate(timeout=120)[1]
        assert process.returncode == 4
        assert "what to do" in errors
        assert "Traceback" not in errors
        with open_spool(site.settings.spool) as spool:
            assert spool.count_batches("queued") > 0, "everything is safe in the spool"
