"""The charts as Helm renders them: valid for Kubernetes, hardened, and with restricted networks.
Run by `make check-helm`.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHARTS = ("linker", "analytics", "partner", "gatekeeper")


def helm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run helm."""
    command = [os.environ["CHILDLINK_HELM"], *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT / "deploy" / "helm",
    )


def render(chart: str, *more: str) -> str:
    """The output of a chart."""
    done = helm("template", "demo", chart, "--kube-version", "1.34", *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(chart: str, *more: str) -> list[dict[str, Any]]:
    """A chart's objects."""
    return [item for item in yaml.safe_load_all(render(chart, *more)) if item]


def pods(chart: str) -> list[tuple[str, dict[str, Any]]]:
    """A chart's pod templates."""
    return [
        (item["metadata"]["name"], item["spec"]["template"])
        for item in objects(chart)
        if "template" in item.get("spec", {})
    ]


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_passes_helm_s_own_checks(chart: str) -> None:
    done = helm("lint", "--strict", chart)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("version", ["1.30.0", "1.34.0"])
def test_what_it_renders_is_valid_for_kubernetes(chart: str, version: str, tmp_path: Path) -> None:
    (tmp_path / "rendered.yaml").write_text(render(chart))
    command = [
        os.environ["CHILDLINK_KUBERNETES_VALIDATE"],
        "--strict",
        "-k",
        version,
        tmp_path / "rendered.yaml",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("chart", CHARTS)
def test_every_container_is_hardened_and_bounded(chart: str) -> None:
    assert pods(chart)
    for name, pod in pods(chart):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["securityContext"] == {
                "readOnlyRootFilesystem": True,
                "allowPrivilegeEscalation": False,
                "privileged": False,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"], name


@pytest.mark.parametrize("chart", CHARTS)
def test_every_pod_is_walled_in_by_a_policy_of_its_own(chart: str) -> None:
    policies = [item["spec"] for item in objects(chart) if item["kind"] == "NetworkPolicy"]
    for name, pod in pods(chart):
        labels = pod["metadata"]["labels"].items()
        walls = [wall for wall in policies if wall["podSelector"]["matchLabels"].items() <= labels]
        assert [wall["policyTypes"] for wall in walls] == [["Ingress", "Egress"]], name
        for rule in walls[0]["egress"]:
            assert rule["to"], f"{name} must not be able to reach everything"
            assert rule["ports"], f"{name} must not be able to reach every port"


@pytest.mark.parametrize("chart", CHARTS)
def test_a_collector_of_traces_can_be_reached_where_it_is_named_and_nowhere_else(
    chart: str,
) -> None:
    def reached(*extra: str) -> list[dict[str, object]]:
        found = [item["spec"] for item in objects(chart, *extra) if item["kind"] == "NetworkPolicy"]
        return [
            rule
            for wall in found
            for rule in wall["egress"]
            if {"protocol": "TCP", "port": 4318} in rule["ports"]
        ]

    named = (
        "--set",
        "egress.collector.cidr=203.0.113.40/32",
        "--set",
        "egress.collector.port=4318",
    )
    assert reached() == []
    assert [rule["to"] for rule in reached(*named)] == [[{"ipBlock": {"cidr": "203.0.113.40/32"}}]]


def test_the_answering_processes_may_reach_nothing_and_hold_no_key_of_the_store() -> None:
    [wall] = [
        o["spec"]
        for o in objects("analytics")
        if o["metadata"]["name"].endswith("-answers") and o["kind"] == "NetworkPolicy"
    ]
    assert wall["egress"] == []
    [pod] = [pod["spec"] for name, pod in pods("analytics") if name.endswith("-answers")]
    held = {volume["name"]: next(iter(volume.keys() - {"name"})) for volume in pod["volumes"]}
    # The only key besides that of its certificate opens nothing but its own trail of questions.
    assert held == {
        "tmp": "emptyDir",
        "tls": "secret",
        "access": "configMap",
        "keys": "emptyDir",
        "trail-secret": "secret",
        "releases": "persistentVolumeClaim",
        "proposals": "persistentVolumeClaim",
    }
    # A key that others can read is refused, and a key in a mounted secret is readable. For that
    # reason it is copied.
    mounted = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    told = {item["name"]: item["value"] for item in pod["containers"][0]["env"]}
    assert "trail-secret" not in mounted
    assert told["CHILDLINK_SERVE_AUDIT_KEY"].startswith(mounted["keys"])
    assert [mount["name"] for mount in pod["initContainers"][0]["volumeMounts"]] == [
        "trail-secret",
        "keys",
    ]
    # Holders of a revoked certificate are shut out, so the revocation list must be present.
    assert told["CHILDLINK_SERVE_TLS_REVOKED"] == f"{mounted['access']}/crl.pem"
    [releases] = [
        mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "releases"
    ]
    assert releases["readOnly"]
    assert not [
        item
        for item in pod["containers"][0]["env"]
        if "DATABASE" in item["name"] or "KAFKA" in item["name"]
    ]


@pytest.mark.parametrize("chart", ["linker", "analytics"])
def test_tables_are_migrated_before_the_new_version_starts(chart: str) -> None:
    [job] = [item for item in objects(chart) if item["kind"] == "Job"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"][0] == "migrate-store"


@pytest.mark.parametrize("chart", ["linker", "analytics"])
def test_a_service_has_a_role_of_its_own_and_not_the_password_of_its_tables_owner(
    chart: str,
) -> None:
    found = {name.removeprefix(f"demo-childlink-{chart}"): pod["spec"] for name, pod in pods(chart)}
    found.pop("-answers", None)
    users, secrets = {}, {}
    for name, spec in found.items():
        env = {item["name"]: item["value"] for item in spec["containers"][0]["env"]}
        users[name] = env[f"CHILDLINK_{chart.upper()}_DATABASE"].split("//")[1].split("@")[0]
        [secrets[name]] = [
            v["secret"]["secretName"] for v in spec["volumes"] if v["name"] == "database"
        ]
    assert users == {"": f"{chart}_service", "-migrate": chart}
    assert secrets == {"": f"{chart}-database", "-migrate": f"{chart}-database-owner"}
    assert found["-migrate"]["containers"][0]["args"][1:] == ["--service-role", f"{chart}_service"]


@pytest.mark.parametrize("chart", CHARTS)
def test_everything_that_runs_has_a_disruption_budget(chart: str) -> None:
    budgets = [
        item["spec"]["selector"]["matchLabels"].items()
        for item in objects(chart)
        if item["kind"] == "PodDisruptionBudget"
    ]
    for name, pod in pods(chart):
        if not name.endswith("-migrate"):
            assert [budget for budget in budgets if budget <= pod["metadata"]["labels"].items()], (
                name
            )


@pytest.mark.parametrize(
    ("chart", "value"),
    [
        ("linker", "database.url=postgresql+psycopg://linker:secret@host/linker"),
        ("linker", "databse.url=typo"),
        ("linker", "database.owner.url=postgresql+psycopg://linker:secret@host/linker"),
        ("linker", "egress.broker.cidr=anywhere"),
        ("analytics", "answers.replicas=0"),
        ("analytics", "image.digest=latest"),
        ("partner", "storage.size=20"),
        ("partner", "keysSecret="),
    ],
)
def test_wrong_values_are_refused_before_anything_is_installed(chart: str, value: str) -> None:
    assert helm("template", "demo", chart, "--kube-version", "1.34").returncode == 0
    assert helm("template", "demo", chart, "--kube-version", "1.34", "--set", value).returncode != 0


@pytest.mark.parametrize("chart", ["linker", "analytics", "gatekeeper"])
def test_with_the_prometheus_operator_a_chart_brings_every_rule_and_alert(chart: str) -> None:
    assert not [o for o in objects(chart) if o["kind"] == "PrometheusRule"]
    rendered = objects(chart, "--set", "monitoring.operator=true")
    [rules] = [o["spec"] for o in rendered if o["kind"] == "PrometheusRule"]
    files = [ROOT / "deploy" / "prometheus" / name for name in ("recording.yml", "alerts.yml")]
    assert rules["groups"] == [
        group for path in files for group in yaml.safe_load(path.read_text())["groups"]
    ]
    [monitor] = [o["spec"] for o in rendered if o["kind"] == "PodMonitor"]
    scraped = [
        name
        for name, pod in pods(chart)
        for container in pod["spec"]["containers"]
        for port in container.get("ports", [])
        if port["name"] == monitor["podMetricsEndpoints"][0]["port"]
    ]
    assert scraped


@pytest.mark.parametrize(
    ("chart", "pod", "ports"),
    [("linker", "linker", {7444, 8444}), ("analytics", "store", {7445})],
)
def test_people_reach_a_service_with_their_certificates_and_only_from_where_it_says(
    chart: str, pod: str, ports: set[int]
) -> None:
    served = {
        port["port"]
        for item in objects(chart)
        if item["kind"] == "Service"
        and item["spec"]["selector"]["app.kubernetes.io/component"] == pod
        for port in item["spec"]["ports"]
    }
    assert served == ports
    [spec] = [
        template["spec"]
        for _, template in pods(chart)
        if template["metadata"]["labels"]["app.kubernetes.io/component"] == pod
    ]
    told = {item["name"]: item["value"] for item in spec["containers"][0]["env"]}
    prefix = f"CHILDLINK_{chart.upper()}_"
    needed = ("GRPC_TLS_CLIENT_CA", "GRPC_TLS_REVOKED", "POLICY")
    assert all(told[prefix + name] for name in needed)
    [wall] = [
        o["spec"]
        for o in objects(chart)
        if o["kind"] == "NetworkPolicy"
        and o["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == pod
    ]
    for rule in wall["ingress"]:
        opened = {port["port"] for port in rule["ports"]}
        assert (opened == ports and "ipBlock" in rule["from"][0]) or opened == {9100}
