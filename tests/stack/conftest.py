"""Starts the real compose stack once: certificates, access rights, both example partners' data, a
release.

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
    """For pytest-docker: the compose command that `make test-stack` found, with every profile that
    can be tested here.
    """
    return f"{os.environ.get('CHILDLINK_COMPOSE', 'docker compose')} --progress quiet {_ALL}"


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    """For pytest-docker: the deployed compose file, not one for tests."""
    return str(stack.ROOT / "docker-compose.yml")


@pytest.fixture(scope="session")
def docker_compose_project_name() -> str:
    """For pytest-docker: a project name that differs from any other stack on this machine."""
    return "childlink-test"


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    """For pytest-docker: remove the rest of an unfinished earlier run, then start."""
    return ["down --volumes --timeout 5", "up --detach --wait --wait-timeout 240"]


@pytest.fixture(scope="session")
def docker_cleanup(request: pytest.FixtureRequest) -> list[str]:
    """For pytest-docker: show the containers' logs if a test failed, then remove everything."""
    return ["down --volumes --timeout 10"]


@pytest.fixture(scope="session")
def prepared() -> None:
    """New keys, certificates, settings and data."""
    os.environ |= stack.environment() | {
        "CHILDLINK_PROJECT": "childlink-test",
        "CHILDLINK_ANSWERS_PORT": str(free_port()),
        "CHILDLINK_PROMETHEUS_PORT": str(free_port()),
        "CHILDLINK_LINKER_PORT": str(free_port()),
        "CHILDLINK_REVIEW_PORT": str(free_port()),
        "CHILDLINK_RELEASES_PORT": str(free_port()),
    }
    shutil.rmtree(stack.STACK, ignore_errors=True)
    stack.prepare()


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest, prepared: None) -> Iterator[Any]:
    """A healthy stack before any data was sent."""
    yield request.getfixturevalue("docker_services")
    if request.session.testsfailed:
        stack.compose(*shlex.split(_ALL), "logs", "--tail", "40", check=False)


@pytest.fixture(scope="session")
def loaded(running: Any) -> None:
    """A stack in which both partners have sent their data, it was linked, and a release was
    built.
    """
    stack.load()


@pytest.fixture
def broker_authority() -> Path:
    """The folder of the authority that signs for the broker."""
    return stack.STACK / "authority" / "broker"
