"""A stack of an earlier commit, with that commit's images and settings, is upgraded in place, one
service after the other, while both sites continue to send. Meanwhile each pair of an older and a
newer party works together, and no record is lost, doubled or linked differently.

Run by deploy/test-upgrade.sh, which makes the earlier commit's folder and images.
"""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from childlink_client import Client
from childlink_ingest.app import load_mapping

from deploy import stack
from tests.support.real import free_port

IMAGES = ("ingest", "linker", "analytics", "answers", "ops")
OLDER, NEWER = "older", "test"
A, B = stack.PARTNERS
EXTRACTS = {partner: extracts[0] for partner, (_, extracts) in stack.PARTNERS.items()}
PARTS = 7


@pytest.fixture
def site(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a stack that runs as in the earlier commit. Afterwards the folder's files are
    today's; nothing else changes.
    """
    site = Path(os.environ["CHILDLINK_UPGRADE_SITE"])
    ports = ("ANSWERS", "PROMETHEUS", "LINKER", "REVIEW", "RELEASES")
    given = stack.environment() | {f"CHILDLINK_{name}_PORT": str(free_port()) for name in ports}
    for name, value in {"CHILDLINK_PROJECT": "childlink-upgrade", **given}.items():
        monkeypatch.setenv(name, value)
    for image in IMAGES:
        monkeypatch.setenv(f"CHILDLINK_{image.upper()}_IMAGE", f"childlink/{image}:{OLDER}")
    shutil.rmtree(stack.STACK, ignore_errors=True)
    sources = [
        *site.glob("libs/*/src"),
        *site.glob("services/*/src"),
        *site.glob("apps/*/src"),
        site / "proto" / "gen",
    ]
    as_it_was = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sources))}
    try:
        for step in ("prepare", "up"):
            subprocess.run(
                [sys.executable, site / "deploy" / "stack.py", step],
                env=as_it_was,
                check=True,
                timeout=400,
            )
        shutil.copytree(stack.ROOT / "deploy", site / "deploy", dirs_exist_ok=True)
        shutil.copy(stack.ROOT / "docker-compose.yml", site)
        monkeypatch.setattr(stack, "ROOT", site)
        stack.complete()
        yield site
        if request.session.testsfailed:
            stack.compose(*stack.profiles(), "logs", "--tail", "40", check=False)
    finally:
        monkeypatch.setenv("CHILDLINK_DELETE", stack.project())
        stack.clean()


class Sending:
    """Both sites' extracts, in parts. Each part is delivered on request."""

    def __init__(self) -> None:
        self.rows, self.files = dict.fromkeys(EXTRACTS, 0), dict.fromkeys(EXTRACTS, 0)
        self._parts = {partner: self._split(partner) for partner in EXTRACTS}
        for partner, extract in EXTRACTS.items():
            source = stack.STACK / "synthetic" / partner / f"{extract}.csv"
            stack.approve(partner, extract, source, "the test")

    def __call__(self, *partners: str) -> None:
        for partner in partners:
            path, rows = next(self._parts[partner])
            stack.deliver(partner, path)
            self.rows[partner] += rows
            self.files[partner] += 1

    def answered(self, partner: str) -> None:
        """Wait until every row of a site is accounted for."""
        stack.wait_for(
            f"every row of {partner} to be answered",
            lambda: stack.settled(partner, self.files[partner]),
            120,
        )

    def _split(self, partner: str) -> Iterator[tuple[Path, int]]:
        extract = EXTRACTS[partner]
        source = stack.STACK / "synthetic" / partner / f"{extract}.csv"
        mapping = load_mapping(source.with_suffix(".toml")).source
        with source.open(newline="", encoding=mapping.encoding) as file:
            first, *rows = csv.reader(file, delimiter=mapping.delimiter)
        for part in range(PARTS):
            path = stack.STACK / f"{extract}-{part}.csv"
            with path.open("w", newline="", encoding=mapping.encoding) as file:
                csv.writer(file, delimiter=mapping.delimiter).writerows([first, *rows[part::PARTS]])
            yield path, len(rows[part::PARTS])


def upgrade(image: str, *services: str) -> None:
    """Let some services run the newer image. The compose file holds the other steps
    (migrations).
    """
    os.environ[f"CHILDLINK_{image.upper()}_IMAGE"] = f"childlink/{image}:{NEWER}"
    stack.compose(
        *stack.profiles(),
        "up",
        "--detach",
        "--wait",
        "--wait-timeout",
        "120",
        *services,
        seconds=180,
    )


def runs_now(service: str) -> str:
    """The tag of the image that a service runs."""
    container = f"{os.environ['CHILDLINK_PROJECT']}-{service}-1"
    return docker("inspect", "--format", "{{.Config.Image}}", container).rpartition(":")[2]


def docker(*command: str) -> str:
    return subprocess.run(
        ["docker", *command], capture_output=True, text=True, check=True, timeout=30
    ).stdout.strip()


def persons() -> dict[str, str]:
    """The person of each subject in the linker's database."""
    said = stack.inside(
        "linker-db",
        "psql",
        "-U",
        "linker",
        "-d",
        "linker",
        "-At",
        "-F",
        " ",
        "-c",
        "SELECT partner || ':' || encode(link_reference, 'hex'), person_id FROM subject",
    )
    return dict(line.split() for line in said.splitlines())


def test_a_stack_is_upgraded_service_by_service_while_both_sites_send(site: Path) -> None:
    ids = [
        (docker("image", "inspect", "--format", "{{.Id}}", f"childlink/{i}:{t}"))
        for i in IMAGES
        for t in (OLDER, NEWER)
    ]
    assert len(set(ids)) > len(IMAGES), "there is something to upgrade"
    send = Sending()
    send(A, B)
    for partner in EXTRACTS:
        send.answered(partner)
    before = persons()
    assert before

    send(A, B)
    upgrade("ingest", "partner-b")
    send(B)
    assert (runs_now("partner-b"), runs_now("linker"), runs_now("analytics")) == (
        NEWER,
        OLDER,
        OLDER,
    )
    send.answered(B)

    send(A, B)
    upgrade("linker", "linker")
    send(A, B)
    assert (runs_now("linker"), runs_now("linker-migrate"), runs_now("analytics")) == (
        NEWER,
        NEWER,
        OLDER,
    )
    for partner in EXTRACTS:
        send.answered(partner)

    send(A)
    upgrade("analytics", "analytics")
    upgrade("answers", "answers")
    send(A)
    assert (runs_now("partner-a"), runs_now("analytics"), runs_now("answers")) == (
        OLDER,
        NEWER,
        NEWER,
    )
    send.answered(A)

    send(A, B)
    upgrade("ops", "gatekeeper")
    upgrade("ingest", "partner-a")
    for partner in EXTRACTS:
        send.answered(partner)
    assert {runs_now(service) for service in ("partner-a", "partner-b", "gatekeeper")} == {NEWER}

    accepted = 0
    for partner in EXTRACTS:
        runs = stack.status(partner)["runs"]
        assert sum(run["rows_read"] for run in runs) == send.rows[partner]
        for run in runs:
            assert run["accepted"] + run["rejected"] + run["permitted_out"] == run["rows_read"], (
                "each row answered once"
            )
            accepted += run["accepted"]
    stack.wait_for("every row to have its link", lambda: stack.all_linked(accepted), 60)

    after = persons()
    assert before.keys() <= after.keys()
    moved = {before[subject] for subject in before if after[subject] != before[subject]}
    assert not moved & set(after.values()), (
        "a person with another identifier has joined an older one, which is now the only one"
    )
    proposed = stack.inside("linker", "childlink-linker", "relink", "--propose")
    assert ": 0 changes (" in proposed, "today's linker alone would give the same"
    stack.inside("linker", "childlink-linker", "check-store")

    stack.publish_release()
    keys = stack.STACK / "analyst"
    address = f"localhost:{os.environ['CHILDLINK_ANSWERS_PORT']}"
    with Client(
        address, ca=keys / "ca.pem", certificate=keys / "tls.pem", key=keys / "tls.key"
    ) as client:
        answer = client.ask("reach_children")
    assert answer.release.id == stack.RELEASE
    assert answer.cells
