"""A catalogue is a folder of declarations. A mistake in it names the file, the line and the remedy;
two people sign it; and a new version keeps the meaning of stored rows.
"""

import re
import shutil
import tomllib
from dataclasses import replace
from datetime import date

import pytest
from childlink_catalogue.catalogue import Catalogue, bundled, current, use
from childlink_catalogue.choosing import choose
from childlink_catalogue.cli import main
from childlink_catalogue.describing import describe
from childlink_catalogue.dimensions import period_of, periods
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.language import FILES, PeriodKeys, json_schema
from childlink_catalogue.signing import sign, verify
from childlink_catalogue.versions import changes
from childlink_core.directory import Member, render_directory
from childlink_core.keys import SigningKey
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def folder(tmp_path):
    """A small catalogue."""
    assert typed("new", tmp_path / "ours").exit_code == 0
    return tmp_path / "ours"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    monkeypatch.delenv("CHILDLINK_CATALOGUE", raising=False)
    monkeypatch.delenv("CHILDLINK_CATALOGUE_KEYS", raising=False)


def typed(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def edit(folder, name, old, new):
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def whole(folder):
    """Read everything. Raises CatalogueError."""
    declared = Catalogue(folder)
    return declared.measures(), declared.codings


def test_a_new_catalogue_is_sound_and_says_how_large_it_is(folder):
    done = typed("check", folder)
    assert done.exit_code == 0
    assert "2 datasets, 2 services, 1 instruments, 2 populations, 2 measures" in done.output
    assert typed("new", folder).exit_code == 1, "it never overwrites one"


def test_the_bundled_catalogue_is_sound():
    measures, _ = whole(bundled())
    assert len(measures) >= 24


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("catalogue.toml", 'id = "ours"', "id = 3", r"catalogue\.toml, line 2: id"),
        (
            "services.toml",
            'kind = "direct"',
            'kinds = "direct"',
            r"services\.toml, line 4: .*kinds",
        ),
        ("services.toml", "[stay_and_play]", "[stay_and_play", "is not TOML"),
        ("instruments/scales.toml", "[0, 40]", "[40, 0]", "the range must rise"),
        ("instruments/scales.toml", "range = [0, 40]\n", "", "range"),
        (
            "instruments/scales.toml",
            "items = 10",
            'cut_offs = { high = { at = 50, title = "High" } }',
            "outside the range",
        ),
        ("datasets/review.toml", 'name = "review"', 'name = "other"', "after its dataset"),
        ("datasets/review.toml", 'type = "flag"', 'type = "code"', "needs its `codes`"),
        ("datasets/review.toml", '"review_date"', '"reviewed"', "event reviewed|event review_date"),
        ("datasets/review.toml", 'name = "on_track"', 'name = "sex"', "declared twice"),
        (
            "characteristics.toml",
            'attribute = "sex"',
            'attribute = "sax"',
            "no dataset has a field",
        ),
        ("exposures.toml", '"attendance"', '"visits"', r"exposures\.toml, line 4, .*no dataset"),
        ("exposures.toml", 'of = "family"', "until = 0", "must be at least 1"),
        ("exposures.toml", 'of = "family"', "until = 7", "not one of the windows"),
        ("exposures.toml", 'of = "family"', "since = 1\nuntil = 12", "at least `until`"),
        (
            "exposures.toml",
            'of = "family"',
            'where = { "service.kind" = ["targetted"] }',
            "never 'targetted'.*Use: direct, targeted",
        ),
        ("exposures.toml", 'of = "family"', 'where = { place = ["x"] }', "no field place"),
        ("exposures.toml", "at = [1]", "at = [1, 1]", "must rise"),
        ("exposures.toml", "at = [1]", "at = [1, 2]", "make 3 bands"),
        ("dimensions.toml", "overlapping = true\ncategories_from", "categories", "categories"),
        (
            "measures/reach.toml",
            '["sex"]',
            '["sax"]',
            r"line 17, measure reach: .*no dimension sax",
        ),
        ("measures/reach.toml", 'period = "year"', 'period = "month"', "month"),
        (
            "measures/reach.toml",
            '"reached_child"\ncubes',
            '"reached"\ncubes',
            "no population reached",
        ),
        ("measures/review.toml", 'exposure = "engaged"', 'exposure = "came"', "no exposure came"),
        ("measures/review.toml", '"on_track", values', '"ontrack", values', "no field ontrack"),
        ("measures/review.toml", 'false = "below"', 'false = "under"', "gives 'under'"),
        ("measures/review.toml", 'of = "expected"', 'of = "expect"', "no category 'expect'"),
        (
            "measures/review.toml",
            '["level", "engaged"]',
            '["engaged"]',
            "level must be in every cube",
        ),
        (
            "measures/review.toml",
            "share = {",
            'mean = { dimension = "level" }\n# {',
            "no midpoint of expected",
        ),
        (
            "measures/review.toml",
            "engaged = {",
            'loop = { when = [{ any = { loop = ["x"] }, is = "x" }] }\nengaged = {',
            "made from itself",
        ),
        ("datasets/review.toml", "on_track", "child_nhs_number", "reads like identity"),
        ("datasets/review.toml", "on_track", "mothers_postcode", "reads like identity"),
        ("shared_fields.toml", "[1, 5]", "[5, 1]", "the range must rise"),
        ("services.toml", "title =", "titel =", "titel is no key here.*Did you mean title"),
        ("services.toml", '"Parent course"', "7", "line 7: .*title must be a text in quotes"),
        ("instruments/scales.toml", "[0, 40]", '"0 to 40"', r"must be a list in \[ \]"),
        ("catalogue.toml", "windows = [1, 12]", "", r"Declare windows = \[1\]"),
        ("datasets/review.toml", 'event = "review_date"\n', "", "does not say when"),
        ("measures/review.toml", "true = ", "yes = ", "on_track is never 'yes'"),
        ("measures/review.toml", ', false = "below"', "", "does not say what 'false' is"),
        ("measures/review.toml", 'against = "below"', 'against = "expected"', "both `of` and"),
        (
            "measures/review.toml",
            'counts = "children"\ndataset = "review"',
            'counts = "adults"\ndataset = "core"',
            "no dataset core",
        ),
        (
            "measures/review.toml",
            'values = { true = "expected", false = "below" }',
            'cut = { at = [1], into = ["below", "expected"] }',
            "is no number",
        ),
        ("dimensions.toml", "ordered = true", "midpoints = { 9 = 1.0 }", "midpoint of 9"),
        (
            "datasets/attendance.toml",
            'codes_from = "services"',
            'codes_from = "services"\ncodes = ["stay_and_pay"]',
            "does not have it",
        ),
        (
            "measures/review.toml",
            "engaged = {",
            'more = { sessions = "rows" }\nengaged = {',
            "give its bands",
        ),
    ],
)
def test_a_mistake_names_the_file_and_what_is_wrong(folder, file, old, new, said):
    edit(folder, file, old, new)
    with pytest.raises(CatalogueError, match=re.compile(said, re.DOTALL)) as error:
        whole(folder)
    assert error.value.remedy
    done = typed("check", folder)
    assert done.exit_code == 1
    assert "Traceback" not in done.output


def test_everything_that_is_wrong_is_said_at_once_and_files_that_are_not_read_too(folder):
    edit(folder, "measures/reach.toml", '["sex"]', '["sax"]')
    edit(folder, "measures/review.toml", 'of = "expected"', 'of = "expect"')
    done = typed("check", folder)
    assert done.exit_code == 1
    assert "sax" in done.output
    assert "'expect'" in done.output
    assert "2 problems." in done.output
    edit(folder, "measures/reach.toml", '["sax"]', '["sex"]')
    edit(folder, "measures/review.toml", 'of = "expect"', 'of = "expected"')
    (folder / "servces.toml").write_text("")
    assert "Did you mean services.toml?" in typed("check", folder).output


def test_a_share_of_others_takes_in_what_is_added(folder):
    edit(
        folder,
        "dimensions.toml",
        "[level]",
        '[what]\ntitle = "Service"\ncategories_from = "services"\n'
        'after = { not_recorded = "Not recorded" }\n\n[level]',
    )
    edit(
        folder,
        "measures/reach.toml",
        'cubes = [["service"',
        'columns = { what = "first" }\nshare = { dimension = "what", of = "others", against ='
        ' "parent_course" }\ncubes = [["what"], ["service"',
    )
    edit(folder, "measures/reach.toml", "year = {", 'first = { first = "service" }\nyear = {')
    edit(folder, "measures/reach.toml", ', ["service", "imd_quintile"], ["year"], ["sex"]', "")
    assert whole(folder)[0]["reach"].share == ("what", ("stay_and_play",), ("parent_course",))
    edit(folder, "services.toml", "[parent_course]", '[swim]\ntitle = "Swim"\n\n[parent_course]')
    assert whole(folder)[0]["reach"].share[1] == ("stay_and_play", "swim")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("datasets/review.toml", "permitted_list = true\n", "", "opt-out no longer applies"),
        ("catalogue.toml", "[1, 12]", "[1, 12, 24]", "windows changed"),
        ("datasets/review.toml", "Review at two", "Review at 2", "title changed"),
        ("exposures.toml", "at = [1]", "at = [2]", "figures of on_track may differ"),
        ("dimensions.toml", '"Not on track"', '"Behind"', "dimension level changed"),
    ],
)
def test_a_difference_that_is_allowed_is_said(folder, tmp_path, file, old, new, said):
    following = tmp_path / "next"
    shutil.copytree(folder, following)
    edit(following, "catalogue.toml", "version = 1", "version = 2")
    edit(following, file, old, new)
    done = typed("diff", folder, following)
    assert done.exit_code == 0
    assert said in done.output


def test_a_new_source_of_a_characteristic_is_said_once_and_not_for_every_measure(folder, tmp_path):
    following = tmp_path / "next"
    shutil.copytree(folder, following)
    edit(following, "catalogue.toml", "version = 1", "version = 2")
    text = (following / "datasets/review.toml").read_text().replace('"review"', '"second"')
    (following / "datasets/second.toml").write_text(text)
    output = typed("diff", folder, following).output
    assert "characteristic sex is now said by" in output
    assert "measure" not in output


def test_two_measures_of_one_id_are_an_error(folder):
    shutil.copy(folder / "measures/reach.toml", folder / "measures/again.toml")
    with pytest.raises(CatalogueError, match="declared twice"):
        whole(folder)


def test_an_outcome_cannot_adjust_for_itself(folder):
    edit(
        folder,
        "measures/review.toml",
        "share = {",
        'compare = { dimension = "engaged", of = "engaged", against = "not_engaged", adjusted_for ='
        ' ["level"] }\nshare = {',
    )
    with pytest.raises(CatalogueError, match="names the outcome level"):
        whole(folder)


def test_every_dimension_carries_the_datasets_it_is_made_from(folder):
    measure = whole(folder)[0]["on_track"]
    assert measure.datasets == ("review",)
    assert measure.dimension_datasets == {
        "engaged": ("attendance",),
        "imd_quintile": ("attendance",),
    }
    assert measure.dimension_needs == {"engaged": ("attendance",)}
    narrow = measure.only_from([frozenset({"review"})])
    assert set(narrow.dimensions) == {"level"}
    assert measure.only_from([frozenset({"attendance"})]) is None


def test_a_comparison_needs_both_of_its_dimensions_in_one_cube():
    measure = Catalogue(bundled()).measures()["preterm_by_midwifery"]
    everything = [frozenset(measure.all_datasets)]
    assert measure.only_from(everything).compare is not None
    apart = replace(measure, cubes=(("term", "engaged"), ("term", "stratum")))
    assert apart.only_from(everything).compare is None


def test_of_two_exposures_one_holds_the_other_only_if_every_row_counts_for_both(folder):
    def ties(**different):
        said = "".join(
            f'[{name}]\ntitle = "T"\ndataset = "attendance"\n{more}'
            + (f'different = "{different[name]}"\n' if name in different else "")
            + 'cut = { at = [1], into = ["no", "yes"] }\n'
            for name, more in (
                ("engaged", ""),
                ("targeted", 'where = { "service.kind" = ["targeted"] }\n'),
            )
        )
        (folder / "exposures.toml").write_text(said)
        return Catalogue(folder).populations["reviewed_child"].ties()

    edit(
        folder,
        "measures/review.toml",
        'engaged = { exposure = "engaged" }',
        'engaged = { exposure = "engaged" }\ntargeted = { exposure = "targeted" }',
    )
    all_of_it = [
        ("engaged", "no", "targeted", "no"),
        ("targeted", "yes", "engaged", "yes"),
    ]
    assert ties() == all_of_it
    assert ties(targeted="service.strand") == all_of_it
    assert ties(targeted="service.strand", engaged="service.strand") == all_of_it
    assert ties(engaged="service.strand") == [], "a targeted service may have no strand"


def test_what_a_measure_counts_is_said_in_words(folder):
    said = "\n".join(describe(Catalogue(folder), whole(folder)[0]["on_track"]))
    assert "Everybody with a row in review; the latest row counts." in said
    assert "of anyone of the family. not_engaged: under 1; engaged: 1 or more." in said
    assert "explain" not in said
    assert "There is no measure" in typed("explain", folder, "nothing").output


@pytest.mark.parametrize("name", sorted(Catalogue(bundled()).measures()))
def test_every_measure_of_the_example_can_be_explained(name):
    declared = Catalogue(bundled())
    lines = list(describe(declared, declared.measures()[name]))
    assert len(lines) > 5
    assert not any("{" in line or "None" in line.replace("“None”", "") for line in lines)


@given(
    st.sampled_from(["quarter", "calendar_year", "financial_year", "school_year"]),
    st.integers(1, 12),
    st.dates(date(2001, 1, 1), date(2060, 12, 31)),
)
def test_every_month_up_to_a_day_is_in_a_period_or_earlier(unit, last, until):
    found = list(periods(PeriodKeys(unit=unit, last=last), until))
    assert found[0] == "earlier"
    assert len(found) == last + 1
    assert found[-1] == period_of(unit, f"{until:%Y-%m}")
    assert found[1:] == sorted(found[1:])


KEYS = [SigningKey.generate(name) for name in ("lead", "manager", "stranger")]


@pytest.fixture
def signers(tmp_path):
    """The file of the two public keys."""
    file = tmp_path / "signers.toml"
    members = [Member(key.owner, key.owner, (key.public(),), ()) for key in KEYS[:2]]
    file.write_text(render_directory(members))
    return file


def test_two_people_sign_and_anything_else_is_refused(folder, signers):
    declared = Catalogue(folder)
    with pytest.raises(CatalogueError, match="nobody has signed"):
        verify(declared, signers)
    sign(declared, KEYS[0])
    sign(declared, KEYS[0])
    sign(declared, KEYS[2])
    with pytest.raises(CatalogueError, match="only lead has signed"):
        verify(declared, signers)
    sign(declared, KEYS[1])
    assert verify(declared, signers) == ["lead", "manager"]
    edit(folder, "services.toml", "Stay and play", "Stay and pay")
    with pytest.raises(CatalogueError, match="nobody has signed"):
        verify(Catalogue(folder), signers)


def test_a_signature_moved_from_one_signer_to_another_is_no_signature(folder, signers):
    declared = Catalogue(folder)
    sign(declared, KEYS[0])
    path = folder / "signatures.json"
    text = path.read_text()
    path.write_text(text.replace('"lead"', '"manager"'))
    with pytest.raises(CatalogueError, match="nobody has signed"):
        verify(declared, signers)
    path.write_text("{")
    with pytest.raises(CatalogueError, match="damaged"):
        verify(declared, signers)


def test_a_process_with_the_signers_keys_refuses_an_unsigned_catalogue(
    folder, signers, tmp_path, monkeypatch
):
    monkeypatch.setenv("CHILDLINK_CATALOGUE", "")
    settings = tmp_path / "ingest.toml"
    settings.write_text(
        'catalogue = "ours"\ncatalogue_keys = "signers.toml"\npartner = "trust-a"\n'
    )
    monkeypatch.delenv("CHILDLINK_CATALOGUE")
    with pytest.raises(CatalogueError, match="is not approved"):
        choose(settings)
    for key in KEYS[:2]:
        sign(Catalogue(folder), key)
    choose(settings)
    assert current().about.id == "ours"
    use(bundled())
    assert current().about.id == "leap"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("shared_fields.toml", "[1, 5]", "[1, 4]", "the range changed"),
        ("shared_fields.toml", '"female", "male"', '"female"', "the codes male were removed"),
        ("shared_fields.toml", 'type = "integer"', 'type = "number"', "type changed"),
        ("datasets/review.toml", 'type = "flag"', 'type = "flag"\nrequired = true', "now required"),
        ("datasets/review.toml", 'adult_relation = "mother"\n', "", "adult_relation changed"),
        ("services.toml", "[parent_course]", "[course]", "the codes parent_course were removed"),
        ("instruments/scales.toml", "[0, 40]", "[0, 50]", "its scale changed"),
        ("instruments/scales.toml", '"lower"', '"higher"', "its scale changed"),
        ("instruments/scales.toml", "[core10]", "[core34]", "core10 was removed"),
    ],
)
def test_a_version_that_changes_the_meaning_of_stored_rows_is_refused_with_the_way_to_do_it(
    folder, tmp_path, file, old, new, said
):
    following = tmp_path / "next"
    shutil.copytree(folder, following)
    edit(following, "catalogue.toml", "version = 1", "version = 2")
    for name in ("attendance", "review"):
        edit(following, f"datasets/{name}.toml", "version = 1", "version = 2")
    edit(following, file, old, new)
    found = [item for item in changes(Catalogue(folder), Catalogue(following)) if item.refused]
    assert any(said in item.what for item in found), found
    done = typed("diff", folder, following)
    assert done.exit_code == 1
    assert "what to do:" in done.output


def test_adding_is_allowed_and_said(folder, tmp_path):
    following = tmp_path / "next"
    shutil.copytree(folder, following)
    assert typed("diff", folder, following).output == "Nothing changed.\n"
    edit(following, "catalogue.toml", "version = 1", "version = 2")
    edit(following, "datasets/attendance.toml", "version = 1", "version = 2")
    edit(following, "services.toml", "[parent_course]", '[swim]\ntitle = "Swim"\n\n[parent_course]')
    edit(following, "measures/reach.toml", '["sex"]', '["sex", "imd_quintile"]')
    done = typed("diff", folder, following)
    assert done.exit_code == 0
    assert "the codes swim were added" in done.output
    assert "measure reach changed: from the next release figures may differ" in done.output


@pytest.mark.parametrize("version", [1, 0])
def test_versions_only_rise(folder, tmp_path, version):
    following = tmp_path / "next"
    shutil.copytree(folder, following)
    edit(following, "services.toml", "Stay and play", "Stay, play")
    if version == 0:
        edit(folder, "catalogue.toml", "version = 1", "version = 2")
    found = changes(Catalogue(folder), Catalogue(following))
    assert any(item.refused and "versions only rise" in item.remedy for item in found)


def test_a_version_is_signed_only_if_the_one_in_use_is_named_and_its_rows_keep_their_meaning(
    folder, tmp_path
):
    key = tmp_path / "lead.key"
    assert typed("new-key", "lead", key).exit_code == 0
    assert typed("sign", folder, "--key", key).exit_code == 1
    assert "Give --previous" in typed("sign", folder, "--key", key).output
    following = tmp_path / "next"
    shutil.copytree(folder, following)
    edit(following, "catalogue.toml", "version = 1", "version = 2")
    edit(following, "instruments/scales.toml", "[0, 40]", "[0, 50]")
    done = typed("sign", following, "--key", key, "--previous", folder)
    assert done.exit_code == 1
    assert "would change the meaning of stored rows" in done.output
    assert not (following / "signatures.json").exists()
    edit(following, "instruments/scales.toml", "[0, 50]", "[0, 40]")
    assert typed("sign", following, "--key", key, "--previous", folder).exit_code == 0


@pytest.mark.parametrize("name", [name for name, *_ in FILES])
def test_every_file_has_a_json_schema(name):
    assert json_schema(name)["type"] == "object"
    assert typed("schema", name).exit_code == 0


def test_every_example_of_a_key_is_toml():
    for _, _, tables in FILES:
        for table in tables:
            for info in table.model_fields.values():
                for example in info.examples or []:
                    if isinstance(example, str) and example[0] in '{["':
                        tomllib.loads(f"x = {example}")


def test_a_list_that_is_written_as_a_table_twice_is_told_to_use_two_brackets(folder):
    edit(folder, "datasets/review.toml", "[[field]]", "[field]")
    edit(folder, "datasets/review.toml", "[[field]]", "[field]")
    with pytest.raises(CatalogueError, match=r"\[\[field\]\]"):
        whole(folder)


def test_changes_are_listed_in_one_order(folder, tmp_path):
    following = tmp_path / "next"
    shutil.copytree(folder, following)
    services = "".join(f'[{name}]\ntitle = "{name}"\nkind = "direct"\n' for name in "dacb")
    (following / "services.toml").write_text((folder / "services.toml").read_text() + services)
    found = [item.what for item in changes(Catalogue(folder), Catalogue(following))]
    refused = [
        item.what for item in changes(Catalogue(folder), Catalogue(following)) if item.refused
    ]
    assert found == [*sorted(refused), *sorted(set(found) - set(refused))]


def test_a_catalogue_that_is_checked_from_inside_is_named(folder, monkeypatch):
    edit(folder, "services.toml", "title", "titel")
    monkeypatch.chdir(folder)
    assert "ours/services.toml" in typed("check", ".").output


def test_a_misspelt_strand_is_named_as_a_slip_and_where_to_correct_it(tmp_path):
    shutil.copytree(bundled(), tmp_path / "leap")
    services = tmp_path / "leap" / "services.toml"
    services.write_text(services.read_text().replace("communication_and", "comunication_and", 1))
    said = typed("check", tmp_path / "leap").output
    assert "Is it a slip for communication_and_language?" in said
    assert "services.toml" in said


def test_what_is_forgotten_or_twice_spelt_is_remarked(folder):
    plain = typed("check", folder).output
    assert "Services without" not in plain
    with (folder / "services.toml").open("a") as file:
        file.write('[walks]\ntitle = "Walks"\nstrand = "outdoor_play"\n')
        file.write('[swims]\ntitle = "Swims"\nstrand = "outdoor_plays"\nkind = "direct"\n')
    (folder / "areas.toml").write_text('[north]\ntitle = "North"\nlevel = "patch"\n')
    said = typed("check", folder).output
    assert "Services without kind, which no group by kind counts: walks" in said
    assert "Services have the strand 'outdoor_play' and 'outdoor_plays'. Is one misspelt?" in said
    assert "No dataset and no dimension takes its codes from: areas.patch." in said
