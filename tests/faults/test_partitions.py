"""The network between two parties is cut, silently, for longer than any timeout: between a site and
the broker, the linker and the broker, and either service and its database. After the repair
everything continues without help, and the result is the same as in an undisturbed run. A machine
that is lost with open connections is replaced by another.
"""

import subprocess
import sys
import time

import pytest
from childlink_bus.ports import BusError
from childlink_ingest import app as ingest
from childlink_ingest.spool import open_spool

from tests.faults.conftest import assert_all_accounted_for, finish
from tests.support.network import HERE, Network
from tests.support.postgres import Postgres

# Kafka's clients give up on a message after 30 s. Either end of a database connection gives up on
# the other after 20 s.
CUT_S = 45

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(500)]


class Site:
    """A network of a site, a broker, a linker and analytics, with the databases at the site's
    address, and the cables between them.
    """

    def __init__(self):
        self.network = Network()
        self.broker = self.network.machine("broker")
        self.site_broker = self.network.cable(HERE, "broker")
        self.linker_broker, self.linker_database = self.plug_in("linker")
        self.analytics_broker, self.analytics_database = self.plug_in("analytics")

    def plug_in(self, service):
        self.network.machine(service)
        return self.network.cable(service, "broker"), self.network.cable(service, HERE)

    def on(self):
        return {name: self.network.on(name) for name in ("broker", "linker", "analytics")}


@pytest.fixture
def wired():
    site = Site()
    yield site
    site.network.close()


@pytest.fixture
def database(wired):
    server = Postgres(host=wired.network.address(HERE))
    yield server
    server.close()


def hears_nothing(network, machine, host, port):
    """No answer and no refusal arrives, so a connection attempt times out."""
    call = f"import socket; socket.create_connection(({host!r}, {port}), timeout=2)"
    done = subprocess.run(
        [*network.on(machine), sys.executable, "-c", call],
        capture_output=True,
        text=True,
        check=False,
    )
    return "TimeoutError" in done.stderr


def wait(deployment, until):
    """Restart ended services, as a supervisor would."""
    while time.monotonic() < until:
        deployment.revive()
        time.sleep(0.5)


def test_a_network_that_is_cut_between_any_two_and_mended_loses_nothing(
    small, undisturbed, wired, database
):
    shaken = small("cut", server=database.url, on=wired.on(), host=wired.broker)
    network, partners = wired.network, list(shaken.layout.ingest)
    for partner in partners[:4]:
        shaken.stage(partner)
    # All parties are connected.
    assert_all_accounted_for(shaken.settle(partners[0], time.monotonic() + 100))
    settings = shaken.layout.ingest[partners[2]]
    with open_spool(settings.spool) as spool, ingest.connect(settings, spool) as connection:
        shaken.send(partners[1])
        network.cut(wired.site_broker, wired.linker_broker)
        cut = time.monotonic()
        assert hears_nothing(network, HERE, wired.broker, shaken.broker.port)
        assert hears_nothing(network, "linker", wired.broker, shaken.broker.port)
        with pytest.raises(BusError, match="did not take"):
            connection.exchange.send()
    wait(shaken, cut + CUT_S)
    network.mend(wired.site_broker, wired.linker_broker)
    deadline = time.monotonic() + 200
    for partner in partners[:3]:
        assert_all_accounted_for(shaken.settle(partner, deadline, shaken.revive))

    network.cut(wired.linker_database, wired.analytics_database)
    cut = time.monotonic()
    for service in ("linker", "analytics"):
        assert hears_nothing(network, service, network.address(HERE), database.port)
    shaken.send(partners[3])
    before = shaken.counts()
    wait(shaken, cut + CUT_S)
    assert shaken.counts() == before
    network.mend(wired.linker_database, wired.analytics_database)
    shaken.stage(partners[4])
    finish(shaken, undisturbed, time.monotonic() + 200)
    shaken.kill_all()


def test_a_linker_whose_machine_is_lost_with_its_connections_open_is_replaced_by_one_elsewhere(
    small, undisturbed, wired, database
):
    shaken = small("lost", server=database.url, on=wired.on(), host=wired.broker)
    for partner in shaken.layout.ingest:
        shaken.stage(partner)
    first, second, *_ = shaken.layout.ingest
    assert_all_accounted_for(shaken.settle(first, time.monotonic() + 100))
    shaken.send(second)
    # Its connections stay open, and the database holds their locks.
    wired.network.cut(wired.linker_database, wired.linker_broker)
    wired.plug_in("elsewhere")
    shaken.on["linker"] = wired.network.on("elsewhere")
    shaken.kill("linker")
    finish(shaken, undisturbed, time.monotonic() + 200)
    shaken.kill_all()
