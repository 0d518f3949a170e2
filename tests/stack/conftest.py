"""Brings the compose stack up for real, once: certificates, access rights, both example partners'
data, a release.

Run by `make test-stack`, which provides an engine and images and says which compose and which
engine to use.
"""

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy import stack
from tests.support.real import free_port

_ALL = " ".join(stack.profiles())


@pytest.fixture(scope="session")
def docker_compose_command() -> str:
    """pytest-docker's: the compose that `make test-stack` found, with every profile that can be
    tested here.
    """
    return f"{os.environ.get('CHILDLINK_COMPOSE', 'docker compose')} --progress quiet {_ALL}"


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    """pytest-docker's: the file that is deployed, not one for tests."""
    return str(stack.ROOT / "docker-compose.yml")


@pytest.fixture(scope="session")
def docker_compose_project_name() -> str:
    """pytest-docker's: apart from anybody's own stack."""
    return "childlink-test"


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    """pytest-docker's: a stack that an earlier run left half-way does not count."""
    return ["down --volumes --timeout 5", "up --detach --wait --wait-timeout 240"]


@pytest.fixture(scope="session")
def docker_cleanup(request: pytest.FixtureRequest) -> list[str]:
    """pytest-docker's: what the containers said is shown if a test failed, then everything goes."""
    return ["down --volumes --timeout 10"]


@pytest.fixture(scope="session")
def prepared() -> None:
    """Keys, certificates, settings and data, made anew."""
    os.environ |= stack.environment() | {
        "CHILDLINK_PROJECT": "childlink-test",
        "CHILDLINK_ANSWERS_PORT": str(free_port()),
        "CHILDLINK_PROMETHEUS_PORT": str(free_port()),
        "CHILDLINK_LINKER_PORT": str(free_port()),
        "CHILDLINK_REVIEW_PORT": str(free_port()),
    }
    shutil.rmtree(stack.STACK, ignore_errors=True)
    stack.prepare()


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest, prepared: None) -> Iterator[Any]:
    """Everything is up and healthy; nothing was sent yet."""
    yield request.getfixturevalue("docker_services")
    if request.session.testsfailed:
        stack.compose(*shlex.split(_ALL), "logs", "--tail", "40", check=False)


@pytest.fixture(scope="session")
def loaded(running: Any) -> None:
    """Both partners sent what they have, it was linked, and a release was cut."""
    stack.load()


@pytest.fixture
def broker_authority() -> Path:
    """The folder of the authority that signs for the broker."""
    return stack.STACK / "authority" / "broker"
