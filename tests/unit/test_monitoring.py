"""Alerts, recording rules and dashboards name only series that exist. Each alert has a runbook and
a test.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.releasing.metrics import StoreMetrics
from childlink_ingest.metrics import IngestMetrics
from childlink_linker.metrics import LinkerMetrics
from childlink_ops.metrics import GatekeeperMetrics
from prometheus_client.metrics import MetricWrapperBase

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
SUFFIXES = {
    "counter": ["_total"],
    "gauge": [""],
    "histogram": ["_bucket", "_sum", "_count"],
    "info": ["_info"],
}


def rules(name: str) -> list[dict[str, Any]]:
    """The rules of a file."""
    return [
        rule
        for group in yaml.safe_load((RULES / name).read_text())["groups"]
        for rule in group["rules"]
    ]


def served() -> dict[str, set[str]]:
    """Every series that a service serves, with its labels."""
    found: dict[str, set[str]] = {"up": set(), "ALERTS": {"alertstate"}}
    for metrics in (
        IngestMetrics(),
        LinkerMetrics(),
        StoreMetrics(),
        ServingMetrics(),
        GatekeeperMetrics(),
    ):
        for metric in vars(metrics).values():
            if isinstance(metric, MetricWrapperBase):
                [family] = metric.describe()
                for suffix in SUFFIXES[family.type]:
                    found[family.name + suffix] = {
                        *metric._labelnames,
                        *(["le"] if suffix == "_bucket" else []),
                    }
    return found


def recorded() -> set[str]:
    """Series that recording rules create."""
    return {rule["record"] for rule in rules("recording.yml")}


def queries() -> list[tuple[str, str]]:
    """Every query, and where it is."""
    found = [(rule["record"], rule["expr"]) for rule in rules("recording.yml")]
    found += [(rule["alert"], rule["expr"]) for rule in rules("alerts.yml")]
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            found += [
                (f"{path.stem}: {panel['title']}", target["expr"]) for target in panel["targets"]
            ]
    return found


@pytest.mark.parametrize(("where", "query"), queries())
def test_a_query_names_only_metrics_and_labels_that_are_served(where: str, query: str) -> None:
    known, made = served(), recorded()
    for name in re.findall(r"\b(?:childlink_\w+|childlink:[\w:]+)", query):
        assert name in known or name in made, f"{where} uses {name}, which no service serves"
    for name, selector in re.findall(r"\b(childlink_\w+)\{([^}]*)\}", query):
        for label in re.findall(r"(\w+)(?:=|!)", selector):
            assert label in known[name] | {"job", "instance"}, (
                f"{where}: {name} has no label {label}"
            )


def test_the_linter_finds_a_metric_that_does_not_exist() -> None:
    with pytest.raises(AssertionError, match="childlink_linker_made_up_total"):
        test_a_query_names_only_metrics_and_labels_that_are_served(
            "x", "rate(childlink_linker_made_up_total[5m])"
        )
    with pytest.raises(AssertionError, match="no label colour"):
        test_a_query_names_only_metrics_and_labels_that_are_served(
            "x", 'childlink_linker_identifiers{colour="red"}'
        )


@pytest.mark.parametrize("rule", rules("alerts.yml"), ids=lambda rule: rule["alert"])
def test_an_alert_has_a_runbook_a_severity_and_a_test(rule: dict[str, Any]) -> None:
    runbook = rule["annotations"]["runbook"]
    assert runbook == f"docs/runbooks/{rule['alert']}.md"
    text = (ROOT / runbook).read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    assert all(heading in text for heading in ("## What it means", "## What to do")), (
        "a runbook must say what to do"
    )
    wanted = ("none",) if rule["alert"] == "Watchdog" else ("page", "ticket")
    assert rule["labels"]["severity"] in wanted
    tests = "".join((RULES / name).read_text() for name in ("tests.yml", "tests-long.yml"))
    assert f"alertname: {rule['alert']}\n" in tests, "a test must make the alert fire"


def test_the_list_of_runbooks_names_every_alert_with_its_severity() -> None:
    listed = re.findall(
        r"^\| \[(\w+)\]\(\1\.md\) \| (\w+) \|",
        (ROOT / "docs/runbooks/README.md").read_text(),
        re.MULTILINE,
    )
    assert sorted(listed) == sorted(
        (rule["alert"], rule["labels"]["severity"]) for rule in rules("alerts.yml")
    )


def test_a_runbook_belongs_to_an_alert() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "runbooks").glob("[A-Z]*.md")} - {"README"}
    assert pages <= {rule["alert"] for rule in rules("alerts.yml")}


def test_prometheus_and_grafana_are_given_what_they_are_told_to_load() -> None:
    config = yaml.safe_load((RULES / "prometheus.yml").read_text())
    assert all((RULES / name).exists() for name in config["rule_files"])
    targets = {
        t
        for job in config["scrape_configs"]
        for item in job["static_configs"]
        for t in item["targets"]
    }
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert {target.split(":")[0] for target in targets} - {"localhost"} <= services.keys()
    assert {json.loads(path.read_text())["uid"] for path in DASHBOARDS} == {
        f"childlink-{path.stem}" for path in DASHBOARDS
    }
    source = yaml.safe_load(
        (ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text()
    )
    used = {
        target_uid
        for path in DASHBOARDS
        for target_uid in re.findall(r'"uid": "(childlink)"', path.read_text())
    }
    assert used == {source["datasources"][0]["uid"]}


def test_the_example_of_alertmanager_names_only_alerts_that_there_are() -> None:
    example = yaml.safe_load((RULES / "alertmanager.yml").read_text())
    named = set(re.findall(r'alertname !?=~? "([^"]+)"', json.dumps(example).replace('\\"', '"')))
    known = {rule["alert"] for rule in rules("alerts.yml")}
    assert {name for names in named for name in names.split("|")} <= known
    receivers = {item["name"] for item in example["receivers"]}
    routes = [example["route"], *example["route"]["routes"]]
    assert {route["receiver"] for route in routes} == receivers


def test_a_backup_that_never_succeeded_is_as_old_as_can_be_and_an_unset_one_says_nothing(
    tmp_path: Path,
) -> None:
    metrics, stamp = StoreMetrics(), tmp_path / "succeeded"

    def told() -> list[float]:
        [family] = metrics.last_backup.collect()
        return [sample.value for sample in family.samples]

    metrics.backups(None)
    assert told() == []
    metrics.backups(stamp)
    assert told() == [0.0]
    stamp.touch()
    metrics.backups(stamp)
    assert told() == [stamp.stat().st_mtime]
