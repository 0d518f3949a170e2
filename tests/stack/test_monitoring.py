"""Alerts and recording rules, tested with Prometheus's own tool in the deployed image."""

import pytest

from deploy import stack

pytestmark = pytest.mark.usefixtures("prepared")


def _promtool(*arguments: str) -> str:
    return stack.compose(
        *stack.profiles(),
        "run",
        "--rm",
        "--no-deps",
        "-T",
        "--entrypoint",
        "promtool",
        "prometheus",
        *arguments,
        # Days are simulated: minutes of work on a busy machine.
        seconds=500,
    )


def test_the_configuration_and_the_rules_are_valid() -> None:
    assert "FAILED" not in _promtool("check", "config", "/etc/prometheus/prometheus.yml")


def test_every_alert_fires_when_it_should_and_only_then() -> None:
    said = _promtool("test", "rules", "/etc/prometheus/tests.yml", "/etc/prometheus/tests-long.yml")
    assert said.count("SUCCESS") == 2
