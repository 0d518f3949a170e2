"""`estimate` never makes links worse. If a role's own estimate would unlink pairs, the role keeps
its current parameters, and the command says so.
"""

import random
from types import SimpleNamespace

import pytest
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.profiles import get_profile
from childlink_linker import app
from childlink_linker.cli import main
from childlink_linker.matching.estimate import Estimated, Refusal
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.relinking.relink import estimate_parameters, relink
from childlink_linker.store.store import Store
from click.testing import CliRunner

from tests.support.people import VAULT

CHILD, ADULT = wire.ROLE_CHILD, wire.ROLE_ADULT
SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "re",
    "su",
    "ta",
    "vo",
    "wen",
    "zar",
    "bel",
    "dor",
    "fin",
    "gal",
    "hun",
    "jas",
    "pol",
]


@pytest.fixture
def mothers_without_dates(linker, partnership):
    """Four hundred mothers. Both partners know their name, sex and address, and nothing else."""
    for partner in ("trust-a", "council-b"):
        rng = random.Random(11)
        people = []
        for n in range(400):
            given, surname = ("".join(rng.choices(SYLLABLES, k=3)) for _ in range(2))
            postcode = (
                f"SW{rng.randrange(1, 20)}"
                f" {rng.randrange(1, 9)}{''.join(rng.choices('ABDEFGHJLNPQRSTUWXYZ', k=2))}"
            )
            people.append(
                partnership.subject(
                    partner,
                    f"m{n}",
                    "adult",
                    given=given,
                    surname=surname,
                    postcode=postcode,
                    sex="f",
                )
            )
        linker.send(partner, *people)
    return linker


def test_mothers_without_a_date_of_birth_keep_their_links(mothers_without_dates):
    before = mothers_without_dates.partition()
    with mothers_without_dates.engine.begin() as tx:
        store = Store(tx, VAULT)
        found = estimate_parameters(store, get_profile(), load_parameters(), "test")
        relink(store, get_profile(), found.parameters)
    assert not found.refusals
    assert mothers_without_dates.partition() == before
    assert len(before) == 400


def estimate(monkeypatch, tmp_path, *refusals):
    """The command's output when these roles are refused, and the file that it was asked to
    write.
    """
    settings, output = tmp_path / "linker.toml", tmp_path / "new.toml"
    settings.write_text("")
    estimated = Estimated(load_parameters(), refusals)
    fake = SimpleNamespace(
        estimate=lambda version: estimated,
        desk=lambda: SimpleNamespace(note=lambda *a, **k: None),
        close=lambda: None,
    )
    monkeypatch.setattr(app, "build", lambda *a, **k: fake)
    monkeypatch.setattr(
        "childlink_linker.settings.LinkerSettings", SimpleNamespace(load=lambda file: None)
    )
    return (
        CliRunner().invoke(main, ["estimate", "--output", str(output), "--version", "2026-12"]),
        output,
    )


def test_the_command_says_which_role_was_refused_and_what_it_would_have_cost(monkeypatch, tmp_path):
    done, output = estimate(monkeypatch, tmp_path, Refusal(ADULT, 1_400, 1_378))
    assert done.exit_code == 0
    assert (
        "not estimated for adult records: the estimate would unlink 1,378 of 1,400 pairs"
        in done.output
    )
    assert output.exists()


def test_where_every_role_is_refused_no_file_is_written(monkeypatch, tmp_path):
    done, output = estimate(monkeypatch, tmp_path, Refusal(CHILD, 100, 50), Refusal(ADULT, 100, 50))
    assert done.exit_code == 1
    assert "No parameters were estimated, and nothing was written." in done.output
    assert not output.exists()
