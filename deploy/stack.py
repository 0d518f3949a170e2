"""The compose stack on this machine: `python deploy/stack.py prepare|up|load|down|clean|addresses`.

`make up` and `make test-stack` use it. The script makes keys, certificates and settings with the
same commands, and in the same order, as operators, custodians and partners do in
docs/how-to/deploy-the-hub.md and onboard-a-partner.md. Each zone has its own folder. This is a
demonstration, because all zones are on one machine. In a deployment they never are.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from childlink_access.policy import new_token, sha256
from childlink_catalogue.catalogue import all_datasets
from childlink_core.directory import read_directory

ROOT: Final = Path(__file__).parents[1]
BIN: Final = ROOT / ".venv" / "bin"
STACK: Final = Path(os.environ.get("CHILDLINK_STACK", ROOT / ".stack")).resolve()
# The example partners: their names in the synthetic partnership, their compose service, and their
# extracts.
PARTNERS: Final = {
    "st-anns-trust": ("partner-a", ("maternity",)),
    "early-years-charity": ("partner-b", ("attendance", "questionnaire")),
}
MANAGERS: Final = ("first-manager", "second-manager")
PROFILES: Final = ("broker", "linker", "analytics", "partner", "monitoring")
CHILDREN: Final = int(os.environ.get("CHILDLINK_STACK_CHILDREN", "800"))
RELEASE: Final = "demo-1"


class StackError(Exception):
    """A step of the stack failed. The message says what to check."""


def prepare() -> None:
    """Make keys, certificates, settings and data. Existing files are kept."""
    refuse_foreign()
    if (STACK / "ready").exists():
        return
    # Databases of an earlier stack have other passwords, and records under other keys. They may be
    # needed.
    if left := containers() + volumes():
        raise StackError(
            f"{STACK} contains no stack, but Docker has containers or volumes of another stack"
            f" called {project()!r}: {', '.join(left)}. Nothing was changed.\n  what to do: to keep"
            " them, use the checkout whose `make up` made them, or start a second stack:"
            " CHILDLINK_PROJECT=another-name make up. To delete them permanently: make down"
            f" CLEAN=1 DELETE={project()}"
        )
    # An earlier attempt was interrupted. Nothing was ever started with its keys.
    shutil.rmtree(STACK, ignore_errors=True)
    STACK.mkdir(mode=0o700, parents=True)
    for folder in (
        "kafka/etc",
        "kafka/data",
        "gatekeeper/etc",
        "linker/etc",
        "analytics/etc",
        "analytics/drafts",
        "analytics/releases",
        "answers/etc",
        "answers/trail",
        "answers/proposals",
        "analyst",
        "leaver",
        "operator",
        "custodian",
    ):
        (STACK / folder).mkdir(parents=True)
    _hub()
    for name in PARTNERS:
        _partner(name)
    _spread()
    for password in (
        "linker/db-password",
        "linker/service-password",
        "analytics/db-password",
        "analytics/service-password",
    ):
        # Both the database's user and the service's user read this file. The folder keeps other
        # users out.
        (STACK / password).write_text(secrets.token_urlsafe(32))
        (STACK / password).chmod(0o444)
    hand_over()
    (STACK / "ready").touch()


def up() -> None:
    """Start all services, and wait until they are healthy."""
    refuse_foreign()
    complete()
    wanted = profiles(
        [*PROFILES, *(["dashboards"] if os.environ.get("CHILDLINK_DASHBOARDS") else [])]
    )
    try:
        compose(*wanted, "up", "--detach", "--wait", "--wait-timeout", "240", seconds=400)
    except StackError:
        compose(*wanted, "ps", "--all", check=False)
        compose(*wanted, "logs", "--tail", "15", check=False)
        raise


def complete() -> None:
    """Make what a stack of an earlier version lacks."""
    (STACK / "answers" / "proposals").mkdir(exist_ok=True)
    hand_to_containers(STACK / "answers" / "proposals")
    _databases()
    if not (STACK / "managers").exists():
        _managers()
        publish()
        hand_to_containers(STACK / "analytics" / "etc" / "managers")


def load() -> None:
    """Let both example partners send their data, and build a release of it. Does nothing if it
    exists.
    """
    if (STACK / "analytics" / "releases" / RELEASE).exists():
        return
    for name, (_, extracts) in PARTNERS.items():
        for extract in extracts:
            extract_file = STACK / "synthetic" / name / f"{extract}.csv"
            approve(name, extract, extract_file, "the demonstration")
            deliver(name, extract_file)
    for name in PARTNERS:
        wait_for(f"every row of {name} to be answered", lambda name=name: settled(name), 240)
    rows = sum(run["accepted"] for name in PARTNERS for run in status(name)["runs"])
    wait_for("links to arrive", lambda: all_linked(rows), 120)
    publish_release()


def publish_release() -> None:
    """Cut the release and publish it, as two people with a certificate each: the person who builds
    a release may not publish it.
    """
    first, second = MANAGERS
    run(*manager_command(first), "release", "cut", RELEASE, "--data-until", "2024-12-31")
    run(*manager_command(second), "release", "publish", RELEASE)


def manager_command(name: str) -> list[object]:
    """A release manager's command, without the subcommand."""
    port = os.environ.get("CHILDLINK_RELEASES_PORT", "7445")
    return _client_command(port, STACK / "managers" / name)


def approve(partner: str, mapping: str, extract: Path, by: str) -> None:
    """Let a site preview what a mapping would send, and approve it."""
    folder = STACK / "partners" / partner / "srv" / "preview"
    folder.mkdir(exist_ok=True)
    shutil.copy(extract, folder / extract.name)
    hand_to_containers(folder)
    file, seen = f"/etc/childlink/mappings/{mapping}.toml", "/srv/childlink/preview"
    for command in (
        [
            "preview",
            f"{seen}/{extract.name}",
            "--mapping",
            file,
            "--html",
            f"{seen}/{mapping}.html",
        ],
        ["approve", file, "--by", by],
    ):
        ingest = ("childlink-ingest", "--settings", "/etc/childlink/ingest.toml")
        inside(PARTNERS[partner][0], *ingest, *command)


def deliver(partner: str, extract: Path) -> None:
    """Put an extract into a partner's inbox, as its data team does: rename it when it is
    complete.
    """
    inbox = STACK / "partners" / partner / "srv" / "inbox"
    inbox.mkdir(exist_ok=True)
    part = inbox / f".{extract.name}"
    shutil.copy(extract, part)
    hand_to_containers(inbox)
    part.rename(inbox / extract.name)


def down() -> None:
    """Stop all services. Data and keys stay."""
    refuse_foreign()
    _compose_down()


def clean() -> None:
    """Stop all services, and delete their databases and keys. Requires the stack's name as
    confirmation.
    """
    refuse_foreign()
    if typed() != project():
        raise StackError(
            f"This deletes every database, key and certificate of the stack {project()!r}. Nothing"
            " was changed.\n  what to do: if that is meant, type its name: make down CLEAN=1"
            f" DELETE={project()}"
        )
    _compose_down("--volumes")
    if STACK.exists():
        shutil.rmtree(STACK)
    images = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    if ours := [name for name in images if name.startswith(("childlink/", "childlink-local/"))]:
        sys.stderr.write(
            "The stack's data and keys are deleted. Its images stay, so that the next start is"
            f" short. To delete them, too: docker image rm {' '.join(ours)}\n"
        )


def typed() -> str:
    """The stack name given as confirmation, from `CHILDLINK_DELETE` or typed on a terminal."""
    if (given := os.environ.get("CHILDLINK_DELETE")) is not None:
        return given.strip()
    if not sys.stdin.isatty():
        return ""
    sys.stderr.write(
        f"This deletes every database, key and certificate of {project()!r} ({STACK}).\nType its"
        " name to go on: "
    )
    return sys.stdin.readline().strip()


def _compose_down(*options: str) -> None:
    everything = profiles([*PROFILES, "dashboards"])
    compose(*everything, "down", "--timeout", "20", *options, seconds=180)


def project() -> str:
    """The name of the stack in Docker."""
    return os.environ.get("CHILDLINK_PROJECT", "childlink")


def refuse_foreign() -> None:
    """Raise StackError if the containers with this name use another stack's folder.

    They then belong to another checkout's hub.
    """
    mounts = [
        mount
        for name in containers()
        for mount in json.loads(docker("inspect", "--format", "{{json .Mounts}}", name))
    ]
    sources = [Path(mount["Source"]) for mount in mounts if mount["Type"] == "bind"]
    if sources and not any(source.is_relative_to(STACK) for source in sources):
        raise StackError(
            f"The running stack {project()!r} is not this checkout's: it uses {sources[0]}."
            " Nothing was changed.\n  what to do: use the checkout that it belongs to, or give"
            " this stack another name: CHILDLINK_PROJECT=another-name make up"
        )


def containers() -> list[str]:
    """Names of the containers of this stack, running or not."""
    return docker(
        "ps",
        "--all",
        "--filter",
        f"label=com.docker.compose.project={project()}",
        "--format",
        "{{.Names}}",
    ).split()


def volumes() -> list[str]:
    """Names of the volumes of this stack."""
    return docker(
        "volume",
        "ls",
        "--filter",
        f"label=com.docker.compose.project={project()}",
        "--format",
        "{{.Name}}",
    ).split()


def docker(*arguments: str) -> str:
    """Run a docker command. Returns its output. Raises StackError."""
    command = [shutil.which("docker") or "docker", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise StackError(f"docker {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout


def addresses() -> str:
    """The addresses and commands of the running stack, as text."""
    ports = {"ANSWERS": "7443", "PROMETHEUS": "9090", "REVIEW": "8444"}
    answers, prometheus, review = (
        os.environ.get(f"CHILDLINK_{name}_PORT", port) for name, port in ports.items()
    )
    question, manager = (
        " ".join(map(str, command))
        for command in (
            ask_command(answers),
            [BIN / "childlink", *manager_command(MANAGERS[0])[1:]],
        )
    )
    inside_it = "docker compose --profile '*' exec"
    lines = {
        "questions": f"{question} \\\n                 ask reach_children --by residence",
        "releases": f"{manager} \\\n                 release list",
        "metrics": f"http://127.0.0.1:{prometheus}",
        "stewards": f"http://localhost:{review} (the token is in {STACK / 'steward' / 'token'})",
        "a partner": (
            f"{inside_it} partner-a childlink-ingest --settings /etc/childlink/ingest.toml status"
        ),
        "the linker": f"{inside_it} linker childlink-linker status",
        "keys": f"{STACK} (the analyst's certificate: {STACK / 'analyst'})",
        "stop": "make down",
    }
    shown = [f"{name:12} {what}" for name, what in lines.items()]
    shown.append("Every trust zone runs on this one machine. Never do this in a deployment.")
    return "\n".join(shown)


def ask_command(port: str | int) -> list[str | Path]:
    """The analyst's command, without the subcommand."""
    return [BIN / "childlink", *_client_command(port, STACK / "analyst")[1:]]


def _client_command(port: str | int, keys: Path) -> list[Any]:
    return [
        "childlink",
        "--address",
        f"localhost:{port}",
        "--ca",
        keys / "ca.pem",
        "--certificate",
        keys / "tls.pem",
        "--key",
        keys / "tls.key",
    ]


def compose(*arguments: str, seconds: float = 120, check: bool = True, quiet: bool = False) -> str:
    """Run docker compose on this stack. Returns its output. Raises StackError."""
    command = [
        *os.environ.get("CHILDLINK_COMPOSE", "docker compose").split(),
        "--progress",
        "quiet",
        *arguments,
    ]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **environment()},
            timeout=seconds,
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except subprocess.TimeoutExpired:
        raise StackError(f"{' '.join(command)} took longer than {seconds:.0f} s") from None
    if done.stdout and not quiet:
        sys.stderr.write(done.stdout)
    if check and done.returncode:
        raise StackError(f"{' '.join(command)} failed ({done.returncode}): {done.stdout[-2000:]}")
    return done.stdout


def inside(service: str, *command: str, seconds: float = 60) -> str:
    """Run a command in a running container. Returns its output. Raises StackError."""
    return compose(
        *profiles(),
        "exec",
        "-T",
        service,
        *command,
        seconds=seconds,
        quiet=True,
    )


def environment() -> dict[str, str]:
    """The variables of docker-compose.yml that differ from their defaults."""
    return {
        "CHILDLINK_STACK": str(STACK),
        "CHILDLINK_UID": str(_uid()),
        "CHILDLINK_GID": str(_uid()),
    }


def status(partner: str) -> dict[str, Any]:
    """The JSON status of a partner's ingest: its spool and its runs."""
    said = compose(
        *profiles(),
        "exec",
        "-T",
        PARTNERS[partner][0],
        "childlink-ingest",
        "--settings",
        "/etc/childlink/ingest.toml",
        "status",
        "--json",
        check=False,
        quiet=True,
    )
    if "{" not in said:
        raise StackError(f"{partner}: {said}")
    return dict(json.loads(said[said.index("{") :]))


def settled(partner: str, files: int | None = None) -> bool:
    """Whether both services have answered every row of a partner's extracts (or of `files`
    extracts).
    """
    failed = list((STACK / "partners" / partner / "srv" / "failed").glob("*.why.txt"))
    if failed:
        raise StackError(f"{partner}: {failed[0].read_text()}")
    state = status(partner)
    runs = state["runs"]
    return (
        len(runs) >= (files or len(PARTNERS[partner][1]))
        and not any(run["waiting"] for run in runs)
        and not state["queued_batches"]
    )


def metric(service: str, name: str) -> dict[str, float]:
    """The samples of a metric of a container, by labels."""
    text = inside(
        service,
        "/app/bin/python",
        "-c",
        "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9100/metrics',"
        " timeout=5).read().decode())",
    )
    samples = (
        line.rsplit(" ", 1)
        for line in text.splitlines()
        if line.startswith((name + "{", name + " "))
    )
    return {label.removeprefix(name): float(value) for label, value in samples}


def all_linked(rows: int) -> bool:
    """Whether analytics has this many observations, and a link for each."""
    held = metric("analytics", "childlink_analytics_held")
    return held.get('{kind="observation"}') == rows and held.get('{kind="waiting"}') == 0


def wait_for(what: str, true: Callable[[], bool], seconds: float) -> None:
    """Wait until `true` returns True. Raises StackError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise StackError(f"waited {seconds:.0f} s for {what}")
        time.sleep(1)


def _hub() -> None:
    broker, answers, stewards = (
        STACK / "authority" / name for name in ("broker", "answers", "stewards")
    )
    # Each has its own authority: the broker's authority cannot admit an analyst or a steward.
    run("childlink-ops", "ca", "new", "--authority", broker, "--title", "demonstration: broker")
    run("childlink-ops", "ca", "new", "--authority", answers, "--title", "demonstration: answers")
    run(
        "childlink-ops",
        "ca",
        "new",
        "--authority",
        stewards,
        "--title",
        "demonstration: stewards and operators",
    )
    _issue(broker, "broker", "kafka", STACK / "kafka" / "etc", "kafka", "localhost", "127.0.0.1")
    _issue(broker, "operator", "gatekeeper", STACK / "gatekeeper" / "etc")
    _issue(
        answers, "server", "answers", STACK / "answers" / "etc", "answers", "localhost", "127.0.0.1"
    )
    _issue(answers, "analyst", "demo-analyst", STACK / "analyst")
    _issue(answers, "analyst", "leaving-analyst", STACK / "leaver")
    _issue(
        stewards,
        "server",
        "linker",
        STACK / "linker" / "etc" / "stewards",
        "linker",
        "localhost",
        "127.0.0.1",
    )
    _issue(stewards, "operator", "demo-operator", STACK / "operator")
    _managers()
    _databases()
    token = new_token()
    (STACK / "steward").mkdir()
    (STACK / "steward" / "token").touch(mode=0o600)
    (STACK / "steward" / "token").write_text(f"{token}\n")
    (STACK / "linker" / "etc" / "policy.toml").write_text(
        '[[person]]\nname = "demo-operator"\nroles = ["operator"]\ncertificate ='
        ' "childlink:operator:demo-operator"\n\n[[person]]\nname = "demo-steward"\nroles ='
        f' ["steward"]\ntoken_sha256 = "{sha256(token)}"\n'
    )
    (STACK / "answers" / "etc" / "policy.toml").write_text(
        '[[person]]\nname = "demo-analyst"\nroles = ["analyst"]\npurposes = ["demonstration"]\n'
        'certificate = "childlink:analyst:demo-analyst"\n\n'
        '[[person]]\nname = "leaving-analyst"\nroles = ["analyst"]\npurposes = ["demonstration"]\n'
        'certificate = "childlink:analyst:leaving-analyst"\n'
    )
    (STACK / "answers" / "etc" / "purposes.toml").write_text(
        '[[purpose]]\nid = "demonstration"\n'
        'title = "Showing what childlink does, with made-up data"\n'
        'lawful_basis = "none needed: all people are made up"\nuntil = 2099-12-31\n'
        f"datasets = {json.dumps(sorted(all_datasets()))}\n"
    )
    run("childlink-analytics", "keys", "new-audit", STACK / "answers" / "etc" / "questions.key")
    key, certificate = (STACK / "kafka" / "etc" / name for name in ("tls.key", "tls.pem"))
    (STACK / "kafka" / "etc" / "store.pem").write_bytes(key.read_bytes() + certificate.read_bytes())
    (STACK / "kafka" / "etc" / "store.pem").chmod(0o600)
    shown = []
    for service in ("linker", "analytics"):
        folder = STACK / service / "etc"
        _issue(broker, "service", service, folder)
        run(f"childlink-{service}", "keys", "new", "--folder", folder / "keys")
        shown.append(STACK / f"{service}.public.toml")
        shown[-1].write_text(
            run(f"childlink-{service}", "keys", "show", "--folder", folder / "keys")
        )
    said = run(
        "childlink-ingest", "keys", "new-linkage", "--output", STACK / "custodian" / "linkage.key"
    )
    check = said.split("check value ")[1].split()[0]
    run(
        "childlink-ops",
        "directory",
        *shown,
        "--linkage",
        f"1={check}",
        "--output",
        STACK / "directory.toml",
    )
    run("childlink-local", "synth", STACK / "synthetic", "--children", CHILDREN)


def _databases() -> None:
    """A certificate for each database, which its service checks."""
    for zone in ("linker", "analytics"):
        folder = STACK / zone / "db"
        if not folder.exists():
            _issue(STACK / "authority" / "broker", "server", f"{zone}-db", folder, f"{zone}-db")
            # The database's user reads the key, and is not the user who makes it. The folder of the
            # stack keeps other users out.
            folder.chmod(0o755)
            (folder / "tls.key").chmod(0o444)


def _managers() -> None:
    """Two release managers, and the service that knows them by their certificates."""
    stewards = STACK / "authority" / "stewards"
    _issue(
        stewards,
        "server",
        "analytics",
        STACK / "analytics" / "etc" / "managers",
        "analytics",
        "localhost",
        "127.0.0.1",
    )
    for name in MANAGERS:
        _issue(stewards, "operator", name, STACK / "managers" / name)
    (STACK / "analytics" / "etc" / "managers" / "policy.toml").write_text(
        "\n".join(
            f'[[person]]\nname = "{name}"\nroles = ["release_manager"]\n'
            f'certificate = "childlink:operator:{name}"\n'
            for name in MANAGERS
        )
    )
    for name in MANAGERS:
        shutil.copy(stewards / "ca.pem", STACK / "managers" / name / "ca.pem")


def _partner(name: str) -> None:
    etc, srv, data = (
        STACK / "partners" / name / "etc",
        STACK / "partners" / name / "srv",
        STACK / "synthetic",
    )
    etc.mkdir(parents=True)
    srv.mkdir()
    # The settings file that sites get, with the two changes that its checklist asks for.
    settings = (ROOT / "deploy" / "partner" / "ingest.toml").read_text()
    for said, meant in (('"trust-a"', f'"{name}"'), ('"broker.example.org:9093"', '"kafka:9093"')):
        if settings.count(said) != 1:
            raise StackError(f"deploy/partner/ingest.toml should say {said} once")
        settings = settings.replace(said, meant)
    (etc / "ingest.toml").write_text(settings)
    # The site: its keys, and a request for a certificate.
    run("childlink-ingest", "keys", "new", name, "--folder", etc / "keys")
    public = STACK / f"{name}.public.toml"
    public.write_text(run("childlink-ingest", "keys", "show", "--folder", etc / "keys"))
    # What the site would read to the hub by telephone.
    [member] = read_directory(public).members.values()
    ids = " ".join(key.key_id for key in (*member.signing, *member.sealing))
    # The hub: onboards the site.
    run(
        "childlink-ops",
        "partner",
        "onboard",
        name,
        "--request",
        etc / "keys" / "tls.csr",
        "--keys",
        public,
        "--directory",
        STACK / "directory.toml",
        "--confirmed",
        ids,
        "--certificate",
        etc / "tls.pem",
        "--authority",
        STACK / "authority" / "broker",
    )
    # The custodian: seals the linkage secret to the site. The site opens it.
    custodian, sealed = STACK / "custodian", STACK / "custodian" / f"{name}.sealed"
    said = run(
        "childlink-ingest",
        "keys",
        "issue-linkage",
        name,
        "--linkage",
        custodian / "linkage.key",
        "--directory",
        STACK / "directory.toml",
        "--output",
        sealed,
    )
    check = said.split("check value ")[1].split()[0]
    run(
        "childlink-ingest",
        "keys",
        "open-linkage",
        sealed,
        "--check-value",
        check,
        "--folder",
        etc / "keys",
    )
    # The site: mappings, permitted list and areas.
    (etc / "mappings").mkdir()
    for extract in PARTNERS[name][1]:
        text = (data / name / f"{extract}.toml").read_text()
        (etc / "mappings" / f"{extract}.toml").write_text(f'files = "{extract}*.csv"\n{text}')
    shutil.copy(data / name / "permitted.dat", etc / "permitted.dat")
    areas = data / "areas"
    run(
        "childlink-ingest",
        "area",
        "build",
        "--postcodes",
        areas / "ONSPD_made_up.csv",
        "--deprivation",
        areas / "IMD_made_up.csv",
        "--output",
        etc / "areas.sqlite",
    )


def _spread() -> None:
    """Copy the public files to every zone that needs them."""
    broker, answers = STACK / "authority" / "broker", STACK / "authority" / "answers"
    for folder in (
        "kafka/etc",
        "linker/etc",
        "analytics/etc",
        *(f"partners/{name}/etc" for name in PARTNERS),
    ):
        shutil.copy(broker / "ca.pem", STACK / folder / "ca.pem")
    for folder in ("answers/etc", "analyst", "leaver"):
        shutil.copy(answers / "ca.pem", STACK / folder / "ca.pem")
    for folder in (
        "gatekeeper/etc",
        "linker/etc",
        "analytics/etc",
        *(f"partners/{name}/etc" for name in PARTNERS),
    ):
        shutil.copy(STACK / "directory.toml", STACK / folder / "directory.toml")
    shutil.copy(STACK / "authority" / "stewards" / "ca.pem", STACK / "operator" / "ca.pem")
    publish()


def publish() -> None:
    """Publish the public halves of the authorities to the services that use them, as after every
    change.
    """
    folders = (
        ("broker", "gatekeeper/etc"),
        ("answers", "answers/etc"),
        ("stewards", "linker/etc/stewards"),
        ("stewards", "analytics/etc/managers"),
    )
    for authority, folder in folders:
        target = STACK / folder / "authority"
        run(
            "childlink-ops", "ca", "publish", target, "--authority", STACK / "authority" / authority
        )
        hand_to_containers(target)


def hand_over() -> None:
    """Give the containers' user ownership of its files, before the containers start."""
    for folder in (
        "kafka",
        "gatekeeper",
        "linker/etc",
        "analytics/etc",
        "analytics/drafts",
        "analytics/releases",
        "answers",
        "partners",
    ):
        hand_to_containers(STACK / folder)


def hand_to_containers(folder: Path) -> None:
    """Give a folder, and all in it, to the user whom the containers run as.

    Containers run as the user who starts them, or for root as the user of the images.
    """
    if os.getuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            # A running service moves and deletes its own files meanwhile.
            with suppress(FileNotFoundError):
                os.chown(path, _uid(), _uid())


def _uid() -> int:
    return os.getuid() or 10001


def _issue(authority: Path, kind: str, name: str, folder: Path, *hosts: str) -> None:
    named = [argument for host in hosts for argument in ("--host", host)]
    run(
        "childlink-ops",
        "ca",
        "issue",
        kind,
        name,
        "--folder",
        folder,
        "--authority",
        authority,
        *named,
    )


def run(*command: object) -> str:
    """Run one of childlink's commands on this machine. Returns its output. Raises StackError."""
    done = subprocess.run(
        [BIN / str(command[0]), *map(str, command[1:])],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise StackError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def profiles(names: tuple[str, ...] | list[str] = PROFILES) -> list[str]:
    """The compose arguments for these profiles."""
    return [argument for name in names for argument in ("--profile", name)]


def main(step: str) -> int:
    """Run one step. Returns the exit code."""
    steps: dict[str, Callable[[], None]] = {
        "prepare": prepare,
        "up": up,
        "load": load,
        "down": down,
        "clean": clean,
        "addresses": lambda: sys.stdout.write(addresses() + "\n") and None,
    }
    try:
        steps[step]()
    except StackError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
