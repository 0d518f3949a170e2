"""Several machines on one network, simulated with Linux network namespaces (needs root), and cables
that a test can cut.

Packets on a cut cable are dropped silently. The sender gets no answer and no refusal, as with a
dropping firewall or a dead switch.
"""

import os
import random
import shutil
import subprocess
from dataclasses import dataclass

from tests.support import real

_NOBODY = "02:00:00:00:de:ad"
HERE = "here"


@dataclass(frozen=True)
class _End:
    machine: str
    device: str
    other: str
    """The address at the other end."""


class Network:
    """This machine (`HERE`) and others. Machines reach each other only over cables."""

    def __init__(self) -> None:
        if os.geteuid() != 0:
            real.unavailable("a network", "network namespaces need root")
        if not shutil.which("ip"):
            subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False)
            subprocess.run(
                ["apt-get", "install", "-qy", "--no-install-recommends", "iproute2"],
                capture_output=True,
                check=False,
            )
        self._name = f"cl{os.urandom(3).hex()}"
        # Addresses of a reserved range (RFC 2544). Other processes on this machine may be running
        # the same tests.
        self._addresses = f"198.{random.choice((18, 19))}.{random.randrange(256)}"
        self._machines: dict[str, str] = {}
        self._devices = 0
        self.machine(HERE)

    def machine(self, name: str) -> str:
        """Add a machine. Returns its address."""
        if name != HERE:
            made = _ip("netns", "add", self._space(name), check=False)
            if made.returncode:
                real.unavailable("a network", made.stderr.strip())
        self._machines[name] = f"{self._addresses}.{len(self._machines) + 1}"
        self._at(name, "link", "set", "lo", "up")
        self._at(name, "addr", "add", f"{self._machines[name]}/32", "dev", "lo")
        return self._machines[name]

    def address(self, name: str) -> str:
        """A machine's address."""
        return self._machines[name]

    def on(self, name: str) -> list[str]:
        """The start of a command line that runs the rest on a machine."""
        return [] if name == HERE else ["ip", "netns", "exec", self._space(name)]

    def cable(self, one: str, other: str) -> tuple[_End, _End]:
        """Connect two machines."""
        self._devices += 1
        a, b = (f"{self._name}{self._devices}{end}" for end in "ab")
        _ip("link", "add", a, "type", "veth", "peer", "name", b)
        ends = (_End(one, a, self._machines[other]), _End(other, b, self._machines[one]))
        for end in ends:
            if end.machine != HERE:
                _ip("link", "set", end.device, "netns", self._space(end.machine))
            self._at(end.machine, "link", "set", end.device, "up")
        for end in ends:
            self._at(
                end.machine,
                "route",
                "add",
                end.other,
                "dev",
                end.device,
                "src",
                self._machines[end.machine],
            )
        return ends

    def cut(self, *cables: tuple[_End, _End]) -> None:
        """Drop everything sent over these cables, in both directions: packets go to a card that
        does not exist.
        """
        for end in (end for cable in cables for end in cable):
            self._at(
                end.machine,
                "neigh",
                "replace",
                end.other,
                "lladdr",
                _NOBODY,
                "dev",
                end.device,
                "nud",
                "permanent",
            )

    def mend(self, *cables: tuple[_End, _End]) -> None:
        """Restore these cables."""
        for end in (end for cable in cables for end in cable):
            self._at(end.machine, "neigh", "del", end.other, "dev", end.device)

    def close(self) -> None:
        """Remove all machines and cables."""
        for name, address in self._machines.items():
            if name == HERE:
                _ip("addr", "del", f"{address}/32", "dev", "lo", check=False)
            else:
                _ip("netns", "del", self._space(name), check=False)

    def _space(self, name: str) -> str:
        return f"{self._name}-{name}"

    def _at(self, machine: str, *command: str) -> None:
        subprocess.run([*self.on(machine), "ip", *command], check=True, capture_output=True)


def _ip(*command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["ip", *command], check=check, capture_output=True, text=True)
