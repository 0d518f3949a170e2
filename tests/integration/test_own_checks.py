"""A steward asks a partner to check its own row. The row is hidden among decoys; the partner looks,
corrects and answers, and learns nothing about other partners' people.
"""

import pytest
from childlink.wire.v1 import encoded_pb2, receipt_pb2
from childlink_core import envelope, topics
from childlink_ingest.cli import main
from childlink_ingest.spool import open_spool
from childlink_linker.errors import ReviewError
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.workspace import create_workspace
from click.testing import CliRunner

from tests.support.one_site import AMINA, EXEMPT, MAPPING, MUM, Pilot
from tests.support.people import NHS, LinkerUnderTest

_NAMES = {
    "Ada": "Quill",
    "Bo": "Rossi",
    "Cyril": "Stone",
    "Dora": "Tanaka",
    "Ewan": "Usher",
    "Fiona": "Vance",
    "Gus": "Webb",
    "Hanna": "Xu",
    "Ivo": "Yates",
    "Jude": "Zoltan",
    "Kirsty": "Brook",
    "Liam": "Finch",
}
RIGHT = encoded_pb2.OWN_CHECK_OUTCOME_RIGHT


@pytest.fixture
def asked(linker, child):
    """A doubtful pair and the request to its first partner: the pair, and the request as the
    partner reads it.
    """
    crowd = [
        child("trust-a", str(n), given=given, surname=surname)
        for n, (given, surname) in enumerate(_NAMES.items())
    ]
    amina = child("trust-a", "amina", nhs=NHS[0])
    linker.send("trust-a", amina, *crowd)
    linker.send("council-b", child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"))
    desk = linker.desk()
    [case] = desk.cases("n.steward")
    [doubt] = case.doubts
    desk.ask_partner("n.steward", doubt.pair, larger=False)
    return linker, desk, doubt.pair, amina, [amina, *crowd], checks_of(linker, "trust-a")[0]


def checks_of(linker: LinkerUnderTest, partner):
    found = []
    for message in linker.broker.topics[topics.receipts(partner)]:
        header, batch = envelope.verify(
            message, topics.receipts(partner), partner, linker.partnership.directory
        )
        payload = envelope.open_batch(header, batch, (linker.partnership.opening[partner],))
        found += receipt_pb2.ReceiptBatch.FromString(payload).checks
    return found


def answer(linker, partner, request, reference, outcome=RIGHT):
    batch = linker.partnership.encoded_batch(partner, [])
    batch.answers.add(request_id=request, link_reference=reference, outcome=outcome)
    from childlink.wire.v1 import envelope_pb2

    linker.put(
        partner,
        linker.partnership.seal(
            partner,
            topics.encodings(partner),
            topics.LINKER,
            envelope_pb2.PAYLOAD_KIND_ENCODED,
            batch.SerializeToString(),
        ),
    )
    linker.run()


def said(desk):
    [case] = desk.cases("n.steward")
    return case.doubts[0].own_checks


def test_the_partner_is_asked_about_ten_of_its_own_people_and_cannot_tell_about_whom(asked):
    _, desk, _, amina, crowd, request = asked
    assert len(request.link_references) == len(set(request.link_references)) == 10
    assert amina.link_reference in request.link_references
    assert set(request.link_references) <= {subject.link_reference for subject in crowd}
    assert said(desk) == ("asked", "")
    assert desk.audit_trail()[1].action == "review ask"


def test_what_it_finds_comes_back_for_the_steward_to_see(asked):
    linker, desk, _, amina, _, request = asked
    decoy = next(r for r in request.link_references if r != amina.link_reference)
    answer(linker, "trust-a", request.request_id, decoy)
    assert said(desk) == ("asked", "")
    answer(linker, "trust-a", request.request_id, amina.link_reference)
    assert said(desk) == ("recorded right", "")


def test_another_partner_cannot_answer_for_it(asked):
    linker, desk, _, amina, _, request = asked
    answer(linker, "council-b", request.request_id, amina.link_reference)
    assert said(desk) == ("asked", "")


def test_nobody_is_asked_twice_at_once_nor_where_there_are_no_decoys(asked):
    _, desk, pair, *_ = asked
    with pytest.raises(ReviewError, match="already been asked"):
        desk.ask_partner("n.steward", pair, larger=False)
    with pytest.raises(ReviewError, match="fewer than 10"):
        desk.ask_partner("n.steward", pair, larger=True)


def test_a_site_sees_which_of_its_own_people_are_meant_and_answers(tmp_path):
    others = [
        f"{n},,Child{'abcdefghijklm'[n]},Family{'abcdefghijklm'[n]},2020-02-{n:02},{MUM.format(n % 10, '')},2022-05-01,"  # noqa: E501
        for n in range(2, 12)
    ]
    with mock_broker() as address:
        layout = create_workspace(tmp_path / "work", ["trust-a"], address)
        with pilot.open_hub(layout) as hub:
            site = Pilot(tmp_path, layout, hub)
            site.run(AMINA, *others)
            desk = hub.linker.desk()
            with open_spool(site.settings.spool) as spool:
                references = [
                    row[0] for row in spool._all("SELECT link_reference FROM subject LIMIT 10")
                ]
                spool.note_own_check(b"r" * 16, references)
            settings = tmp_path / "site.toml"
            settings.write_text(
                "\n".join(
                    f'{name} = "{value}"'
                    for name, value in site.settings.model_dump(
                        mode="json", exclude_none=True
                    ).items()
                    if isinstance(value, str) and value
                )
                + "\nkafka_api_version = [2, 3]\n"
            )
            base = ["--settings", str(settings)]
            (tmp_path / "m.toml").write_text(MAPPING.format(options=EXEMPT))
            shown = CliRunner().invoke(
                main,
                [*base, "checks", str(tmp_path / "e.csv"), "--mapping", str(tmp_path / "m.toml")],
            )
            assert shown.exit_code == 0, shown.output
            assert shown.output.startswith("request 1:")
            assert len(shown.output.splitlines()) == 11
            wrong = CliRunner().invoke(main, [*base, "checked", "1", "--corrected", "nobody"])
            assert (
                wrong.exit_code,
                "not in request 1" in wrong.output,
                "Traceback" in wrong.output,
            ) == (
                1,
                True,
                False,
            )
            done = CliRunner().invoke(main, [*base, "checked", "1", "--wait", "0"])
            assert "answered for 10 people" in done.output, done.output
            with open_spool(site.settings.spool) as spool:
                assert spool.own_checks() == {}
                pilot.exchange(site.settings, spool, hub)
                assert spool.incidents() == []
            again = CliRunner().invoke(
                main,
                [*base, "checks", str(tmp_path / "e.csv"), "--mapping", str(tmp_path / "m.toml")],
            )
            assert "has no questions" in again.output
            assert desk.cases("n.steward") == []
