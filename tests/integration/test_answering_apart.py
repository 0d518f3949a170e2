"""An installation for answering only has no code that could reach the store, count, or talk to the
broker.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = ("duckdb", "highspy", "kafka", "alembic", "sqlalchemy", "statsmodels", "psycopg")
LARGEST_MB = 110


@pytest.fixture(scope="module")
def answering(tmp_path_factory):
    """An environment with the packages of the answering image, installed by the script that builds
    the image.
    """
    folder = tmp_path_factory.mktemp("answering") / "app"
    script = [
        "sh",
        "deploy/images/install.sh",
        "service",
        "services/analytics",
        "",
        str(folder),
        ".tools/bin/uv",
    ]
    done = subprocess.run(
        script, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def run(python, code, *arguments):
    done = subprocess.run(
        [python / "python", "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_none_of_the_store_s_packages_is_installed(answering):
    found = run(
        answering,
        """
        import importlib.util, sys
        print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name)])
        """,
        *FORBIDDEN,
        "childlink_bus",
    )
    assert found.split() == []


def test_it_has_the_commands_that_answer_and_no_others(answering):
    said = subprocess.run(
        [answering / "childlink-analytics", "--help"], capture_output=True, text=True, check=True
    )
    commands = {
        line.split()[0]
        for line in said.stdout.partition("Commands:")[2].splitlines()
        if line.strip()
    }
    assert commands == {"audit", "keys", "measures", "serve"}


def test_the_trail_of_releases_is_elsewhere_and_the_error_says_where(answering):
    done = subprocess.run(
        [answering / "childlink-analytics", "audit", "show"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "childlink-analytics[releasing]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_process_that_answers_stays_small(answering, tmp_path):
    code = """
    import os, pathlib, sys, time
    from childlink_analytics.answering.app import build_access
    from childlink_analytics.answering.metrics import ServingMetrics
    from childlink_analytics.answering.service import serve
    from childlink_analytics.settings import ServingSettings
    settings = ServingSettings(releases=pathlib.Path(sys.argv[1]), address="127.0.0.1:0")
    server, port = serve(settings, ServingMetrics(), build_access(settings))
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    print(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
    server.stop(0)
    """
    assert float(run(answering, code, str(tmp_path))) < LARGEST_MB


def test_the_same_holds_of_what_the_answering_modules_import_here():
    code = """
    import sys
    import childlink_analytics.cli.answering, childlink_analytics.answering.app, childlink_analytics.answering.service
    print(*sorted({name.partition(".")[0] for name in sys.modules}))
    """  # noqa: E501
    loaded = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    ).stdout.split()
    assert not set(FORBIDDEN) & set(loaded)
