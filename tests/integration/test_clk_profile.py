"""Under a profile of CLKs, sites make clkhash's CLKs, or take them in from its tools for rows that
may be sent; the linker compares them. A store never holds CLKs beside hardened encodings.
"""

import base64
import json

import pytest
import sqlalchemy as sa
from bitarray import bitarray
from childlink_core.errors import UserError
from childlink_core.keys import read_secret_key
from childlink_core.profiles import CLK_PROFILES, DEFAULT_PROFILE, get_profile
from childlink_ingest.cli import main
from childlink_ingest.errors import ExtractError
from childlink_ingest.pseudonymise.encoder import clk_secret
from childlink_linker import app as linker
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.review.explain import explain
from childlink_linker.store import tables
from childlink_linker.store.store import Store
from click.testing import CliRunner
from clkhash import clk
from clkhash.schema import from_json_dict

from tests.support.one_site import AMINA, EXEMPT, LINH, OLIVER, one_site

CLK = CLK_PROFILES[0]
# The normalised values of the children of the rows, in the order of the schema's features.
VALUES = {
    "1": ["amina", "okafor", "2020-01-02", "", ""],
    "2": ["oliver", "khan", "2020-03-04", "", ""],
    "3": ["linh", "nguyen", "2020-06-07", "", ""],
}


def by_clkhash(site, ids, secret=None):
    """clkhash's CLKs of these children, with the partnership's schema and secret."""
    key = read_secret_key(site.settings.linkage_key)
    schema = from_json_dict(json.loads(get_profile(CLK).clk_pass.clk.schema))
    return clk.generate_clks(
        [VALUES[number] for number in ids],
        schema,
        secret or clk_secret(key).decode(),
        max_workers=1,
    )


def give(site, ids, clks, named=True):
    """Give the site a file of CLKs."""
    file, names = site.folder / "clks.json", site.folder / "ids.csv"
    texts = [base64.b64encode(bits.tobytes()).decode() for bits in clks]
    file.write_text(json.dumps({"clks": texts}))
    names.write_text("\n".join(["id", *ids]) + "\n")
    site.settings.clks, site.settings.clk_ids = file, names if named else None


def persons(site):
    with sa.create_engine(site.layout.linker.database).connect() as tx:
        return (
            tx.execute(sa.text("SELECT person_id FROM subject ORDER BY subject_id")).scalars().all()
        )


@pytest.mark.parametrize("profile", CLK_PROFILES)
def test_a_corrected_row_keeps_its_person_and_explain_tells_the_similarity(tmp_path, profile):
    with one_site(tmp_path, profile) as site:
        assert site.run(AMINA, OLIVER, LINH).accepted == 3
        before = persons(site)
        report = site.run(AMINA, OLIVER.replace("Khan", "Kahn"), LINH)
        assert (report.refused, report.waiting) == (0, 0)
        assert persons(site) == before
        assert site.counts()["subjects"] == 6


def test_two_sources_of_one_child_are_joined_by_their_clks(tmp_path):
    with one_site(tmp_path, CLK) as site:
        # The same child under another id, in a source that gives an id to each visit.
        # The mothers of the other rows differ in a digit of a date, which a CLK hardly shows.
        linh = LINH.replace("Grace,Okafor", "Thuy,Nguyen")
        again = linh.replace("3,,", "33,,").replace("M3", "M33")
        site.run(AMINA, OLIVER, linh, again, options=EXEMPT + 'ids = "visit"\n')
        held = persons(site)
        assert len(held) == 8
        assert len(set(held)) == 6, "the child and the mother are one person each"
        store = linker.open_store(site.layout.linker)
        with store.connect() as tx:
            joined = next(person for person in set(held) if held.count(person) == 2)
            told = explain(
                Store(tx, linker.vault_of(site.layout.linker)),
                joined,
                get_profile(CLK),
                load_parameters(),
            )
        [comparison] = told.comparisons
        [finding] = comparison.findings
        assert (finding.what, finding.outcome) == ("similarity of the CLKs (Dice)", "0.98 or more")


def test_clks_of_clkhash_are_those_that_the_site_makes(tmp_path):
    with one_site(tmp_path, CLK) as site:
        give(site, ["3", "1", "2"], by_clkhash(site, ["3", "1", "2"]))
        assert site.run(AMINA, OLIVER, LINH).accepted == 3
        site.settings.clks = site.settings.clk_ids = None
        with sa.create_engine(site.layout.linker.database).connect() as tx:
            records = sa.text("SELECT record_id, digest FROM record ORDER BY record_id")
            before = tx.execute(records).all()
        site.run(AMINA, OLIVER, LINH)
        with site.hub.linker.engine.connect() as tx:
            assert tx.execute(records).all() == before, "nothing has changed"
            sequences = tx.execute(sa.select(tables.stream_state.streams.c.next_sequence))
            assert sequences.scalars().all() == [2], "the second run sent the linker nothing"


def test_a_clk_is_sent_only_for_a_row_that_may_be_sent(tmp_path):
    with one_site(tmp_path, CLK) as site:
        objections = tmp_path / "objections.csv"
        objections.write_text("nhs_number,role,local_id\n9990000018,child,\n")
        site.settings.objections = objections
        give(site, ["1", "2"], by_clkhash(site, ["1", "2"]))
        report = site.run(AMINA, OLIVER, LINH)
        assert (report.permitted_out, report.rejected, report.accepted) == (1, 1, 1)
        assert site.counts()["subjects"] == 2, "of the two in the file, one has objected"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda s: give(s, ["1", "2", "3"], by_clkhash(s, "123"), named=False), "whom it holds"),
        (lambda s: give(s, ["1", "2"], by_clkhash(s, "123")), "3 CLKs, and ids.csv has 2 ids"),
        (lambda s: give(s, ["1", "1", "3"], by_clkhash(s, "123")), "names 1 ids twice"),
        (lambda s: give(s, ["2", "3", "1"], by_clkhash(s, "123")), "are not those of the extract"),
        (lambda s: give(s, "123", by_clkhash(s, "123", "another")), "are not those of the extract"),
        (lambda s: give(s, "123", [b[:512] for b in by_clkhash(s, "123")]), "512 bits, not 1024"),
        (lambda s: give(s, "1", [bitarray(1024 * "1")]), "too many"),
        (lambda s: give(s, "1", [bitarray(1024 * "0")]), "too few"),
    ],
)
def test_a_file_of_clks_that_cannot_be_right_is_refused_and_nothing_is_sent(tmp_path, spoil, says):
    with one_site(tmp_path, CLK) as site:
        spoil(site)
        with pytest.raises(ExtractError, match=says):
            site.run(AMINA, OLIVER, LINH)
        site.settings.clks = None
        assert site.run(AMINA, OLIVER, LINH).run_id == 1, "the first run left nothing"


def test_a_hardened_profile_takes_no_clks(tmp_path):
    with one_site(tmp_path) as site:
        give(site, ["1"], by_clkhash(site, ["1"]))
        with pytest.raises(ExtractError, match="never both"):
            site.run(AMINA)


def test_a_store_takes_no_profile_of_the_other_kind(tmp_path):
    with one_site(tmp_path, CLK) as site:
        site.run(AMINA)
        before = persons(site)
        hardened = site.layout.linker.model_copy(update={"profile": DEFAULT_PROFILE})
        with pytest.raises(UserError, match="of another kind"):
            linker.open_store(hardened)
        with pytest.raises(UserError, match="of another kind"):
            linker.change_profile(hardened, get_profile(DEFAULT_PROFILE))
        assert persons(site) == before


def test_a_store_moves_to_another_profile_of_its_kind_and_keeps_identifiers(tmp_path):
    with one_site(tmp_path, CLK) as site:
        site.run(AMINA, OLIVER)
        before = persons(site)
        site.hub.linker.close()
        other = CLK_PROFILES[1]
        settings = site.layout.linker.model_copy(update={"profile": other})
        with pytest.raises(UserError, match=f"change-profile {other}"):
            linker.open_store(settings)
        assert linker.change_profile(settings, get_profile(other)) == 4
        store = linker.open_store(settings)
        with store.connect() as tx:
            assert tx.execute(sa.select(sa.func.count()).select_from(tables.record)).scalar() == 0
        assert persons(site) == before


def test_the_kit_has_what_clkutil_needs_and_its_secret_is_private(tmp_path):
    with one_site(tmp_path, CLK) as site:
        settings = tmp_path / "ingest.toml"
        settings.write_text(
            f'partner = "trust-a"\nprofile = "{CLK}"\nlinkage_key = "{site.settings.linkage_key}"\n'
            f'directory = "{site.settings.directory}"\nbootstrap_servers = "localhost:1"\n'
        )
        kit = tmp_path / "kit"
        made = CliRunner().invoke(main, ["--settings", str(settings), "clk-kit", str(kit)])
        assert made.exit_code == 0, made.output
        assert (kit / "secret.txt").stat().st_mode & 0o777 == 0o600
        secret = (kit / "secret.txt").read_text()
        assert secret not in made.output
        own = by_clkhash(site, ["1"], secret)
        assert own == by_clkhash(site, ["1"])
        json.loads((kit / "schema.json").read_text())
        again = CliRunner().invoke(main, ["--settings", str(settings), "clk-kit", str(kit)])
        assert again.exit_code == 1
