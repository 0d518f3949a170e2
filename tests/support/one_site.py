"""One site with a hub, in one process, that sends hand-written rows."""

import time
from contextlib import contextmanager

import sqlalchemy as sa
from childlink_core.profiles import DEFAULT_PROFILE
from childlink_ingest import app
from childlink_ingest.mapping.approvals import approve, what
from childlink_ingest.runs import withdraw
from childlink_ingest.spool import open_spool
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.workspace import create_workspace

HEADER = "id,nhs,first,last,dob,mum,mumnhs,mumfirst,mumlast,mumdob,when,status"
MUM = "M{0},{1},Grace,Okafor,1990-05-0{0}"
AMINA = "1,9990000018,Amina,Okafor,2020-01-02," + MUM.format(1, "9990000034") + ",2022-05-01,"
OLIVER = "2,9990000026,Oliver,Khan,2020-03-04," + MUM.format(2, "9990000042") + ",2022-05-01,"
LINH = "3,,Linh,Nguyen,2020-06-07," + MUM.format(3, "") + ",2022-05-01,"
NUMBERS = ("9990000018", "9990000026", "9990000034", "9990000042")
MAPPING = """
dataset = "asq3"
{options}
[columns]
row_id = "id"
deleted = {{ column = "status", codes = {{ "D" = true, "" = false }} }}
child_id = "id"
child_nhs_number = "nhs"
child_given_name = "first"
child_surname = "last"
child_date_of_birth = "dob"
adult_id = "mum"
adult_nhs_number = "mumnhs"
adult_given_name = "mumfirst"
adult_surname = "mumlast"
adult_date_of_birth = "mumdob"
review_date = "when"
"""
EXEMPT = 'opt_out_exempt = "made-up people"\n'


class Pilot:
    """One site with a hub, in one process."""

    def __init__(self, folder, layout, hub):
        self.folder, self.layout, self.hub = folder, layout, hub
        self.settings = layout.ingest["trust-a"]

    def write(self, *rows, options=EXEMPT, approved=True):
        """Write an extract of these rows, and its mapping."""
        extract, mapping = self.folder / "e.csv", self.folder / "m.toml"
        extract.write_text("\n".join([HEADER, *rows]) + "\n")
        mapping.write_text(MAPPING.format(options=options))
        if approved:
            wanted = what(
                mapping, app.load_mapping(mapping), app.get_profile(self.settings.profile)
            )
            approve(self.settings.approvals, mapping, wanted, "A. Shah, IG lead")
        return extract, mapping

    def run(self, *rows, options=EXEMPT, approved=True, limits=None):
        written = self.write(*rows, options=options, approved=approved)
        with open_spool(self.settings.spool) as spool:
            run_id = app.run_extract(self.settings, spool, *written, limits)
            pilot.exchange(self.settings, spool, self.hub)
            return spool.report(run_id)

    def take_back(self, action):
        with open_spool(self.settings.spool) as spool:
            result = action(spool, app.build_site(self.settings))
            pilot.exchange(self.settings, spool, self.hub)
            run_id = result[0] if isinstance(result, tuple) else result
            return spool.report(run_id)

    def counts(self):
        """Counts of the linker's subjects and records, and of analytics' rows and rows with an
        adult.
        """
        # The site's receipts may arrive before the links, so a settled exchange says nothing about
        # analytics and the links.
        until = time.monotonic() + 30
        while self.hub.step() or (not self._links_came() and time.monotonic() < until):
            pass
        with sa.create_engine(self.layout.linker.database).connect() as tx:
            linker = [
                tx.execute(sa.text(f"SELECT count(*) FROM {t}")).scalar()
                for t in ("subject", "record")
            ]
        with sa.create_engine(self.layout.store.database).connect() as tx:
            rows = tx.execute(
                sa.text("SELECT count(*), count(adult_reference) FROM observation")
            ).one()
            people = tx.execute(sa.text("SELECT count(person) FROM link")).scalar()
        assert people == linker[0], "analytics has a link for every subject there is, and no other"
        return {"subjects": linker[0], "records": linker[1], "rows": rows[0], "with_adult": rows[1]}

    def _links_came(self):
        with sa.create_engine(self.layout.linker.database).connect() as tx:
            subjects = tx.execute(sa.text("SELECT count(*) FROM subject")).scalar()
        with sa.create_engine(self.layout.store.database).connect() as tx:
            return tx.execute(sa.text("SELECT count(person) FROM link")).scalar() == subjects


@contextmanager
def one_site(folder, profile=DEFAULT_PROFILE):
    """A site and its hub, removed when the block ends."""
    with mock_broker() as address:
        layout = create_workspace(folder / "work", ["trust-a"], address)
        layout.ingest["trust-a"].profile = layout.linker.profile = profile
        with pilot.open_hub(layout) as hub:
            yield Pilot(folder, layout, hub)


def journey(folder):
    """Send, correct, delete and withdraw rows. Returns what is left at the hub and what the site
    was told.
    """
    folder.mkdir()
    with one_site(folder) as site:
        reports = [
            site.run(AMINA, OLIVER, LINH),
            site.run(AMINA + "D", OLIVER.replace("Khan", "Kahn")),
        ]
        reports.append(
            site.take_back(
                lambda spool, s: withdraw.withdraw(spool, s, [("default", "child", "3")], [])
            )
        )
        with open_spool(site.settings.spool) as spool:
            assert not spool.incidents()
            told = [
                (r.accepted, r.refused, r.waiting) for r in map(spool.report, sorted(spool.runs()))
            ]
        dead = site.hub.linker.metrics.dead_letter_messages._value.get()
        return site.counts(), told, [r.withdrawn_proved for r in reports], dead
