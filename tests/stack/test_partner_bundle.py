"""The bundle for a site is complete, and the commands of its checklist work."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy import stack

pytestmark = pytest.mark.usefixtures("prepared")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked bundle, as a site has it."""
    made = subprocess.run(
        [stack.ROOT / "deploy/partner/bundle.sh", os.environ["CHILDLINK_INGEST_IMAGE"]],
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        ["tar", "-xf", stack.ROOT / made.stdout.splitlines()[0], "-C", folder],
        check=True,
        timeout=60,
    )
    [unpacked] = folder.iterdir()
    return unpacked


def test_the_bundle_is_whole_and_a_changed_file_shows(bundle: Path) -> None:
    def check() -> int:
        return subprocess.run(
            ["sha256sum", "--check", "--quiet", "SHA256SUMS"],
            cwd=bundle,
            check=False,
            capture_output=True,
        ).returncode

    assert check() == 0
    settings = bundle / "etc" / "ingest.toml"
    before = settings.read_text()
    settings.write_text(before + "#")
    assert check() == 1
    settings.write_text(before)


def test_the_checklist_s_commands_make_keys_and_print_the_public_halves(bundle: Path) -> None:
    subprocess.run(
        ["docker", "load", "--quiet", "--input", "childlink-ingest.tar.gz"],
        cwd=bundle,
        check=True,
        timeout=120,
    )
    subprocess.run(["chown", "-R", "10001:10001", bundle / "etc"], check=True)
    checklist = (bundle / "CHECKLIST.md").read_text()
    commands = re.findall(r"```\n\s*(docker run [^`]*?)\s*```", checklist)
    assert len(commands) == 2
    for command in commands:
        text = command.replace("IMAGE", os.environ["CHILDLINK_INGEST_IMAGE"])
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=bundle,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "[members.trust-a]" in (bundle / "trust-a.public.toml").read_text()
    keys = bundle / "etc" / "keys"
    assert (keys / "tls.csr").exists()
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys.glob("*.key"))


def test_a_site_s_compose_file_opens_no_port(bundle: Path) -> None:
    command = [
        *os.environ["CHILDLINK_COMPOSE"].split(),
        "-f",
        bundle / "docker-compose.yml",
        "config",
        "--format",
        "json",
    ]
    config = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)
    [(name, service)] = config["services"].items()
    assert name == "ingest"
    assert "ports" not in service
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
