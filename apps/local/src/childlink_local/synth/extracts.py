"""Files as partners keep them. Each partner uses different headers, date formats and codings, and
records contain realistic errors.
"""

from pathlib import Path
from typing import Final

import numpy as np

from childlink_local.synth.lives import Lives
from childlink_local.synth.partners.charity import charity
from childlink_local.synth.partners.child_health import asq3, six_week_review
from childlink_local.synth.partners.general_practice import immunisation
from childlink_local.synth.partners.maternity import maternity
from childlink_local.synth.partners.records import records
from childlink_local.synth.partners.school import school
from childlink_local.synth.recording import Desk, Errors, Recorder, Truth
from childlink_local.synth.tables import write_tables
from childlink_local.synth.writing import WARDS, write_rows

# Share of people with a national data opt-out in the synthetic area.
_OPTED_OUT: Final = 0.01


def write_partnership(
    lives: Lives,
    folder: Path,
    rng: np.random.Generator,
    errors: Errors,
    nhs_times: float = 1.0,
    further: int | None = None,
) -> None:
    """Write every partner's extracts and mappings, and the truth file.

    `nhs_times` scales the share of records with an NHS number at every partner. With a seed in
    `further`, the partners' further extracts and the tables are written too.
    """
    truth = Truth()
    desks: dict[str, Desk] = {}

    def desk(partner: str, prefix: str, nhs_share: float, dirt: float = 1.0) -> Desk:
        (folder / partner).mkdir(parents=True, exist_ok=True)
        own = np.random.default_rng(rng.integers(2**63))
        recorder = Recorder(own, errors.times(dirt), min(1.0, nhs_share * nhs_times))
        return desks.setdefault(partner, Desk(partner, recorder, truth, own, prefix))

    maternity(lives, folder, desk("st-anns-trust", "M", 0.93))
    community_health = desk("community-health", "H", 0.985)
    asq3(lives, folder, community_health)
    six_week_review(lives, folder, community_health)
    immunisation(lives, folder, desk("gp-federation", "G", 0.995))
    school(lives, folder, desk("borough-council", "", 0.55))
    charity(lives, folder, desk("early-years-charity", "", 0.3, dirt=2.0))
    if further is not None:
        records(lives, folder, desks, further)
        write_tables(folder / "tables")
    truth.write(folder / "truth.csv")
    _permitted_lists(lives, folder, rng)
    _areas(lives, folder)


def _permitted_lists(lives: Lives, folder: Path, rng: np.random.Generator) -> None:
    """The list that the checking service returned, for each partner: everyone except the few people
    who opted out.
    """
    people = (
        person
        for family in lives.families
        for person in (*family.children, family.mother, family.father, family.carer)
        if person is not None
    )
    numbers = sorted(person.nhs_number for person in people)
    kept = rng.random(len(numbers)) >= _OPTED_OUT
    text = "".join(f"{number},\n" for number, stays in zip(numbers, kept, strict=True) if stays)
    for partner in {path.parent.name for path in folder.glob("*/*.toml")}:
        (folder / partner / "permitted.dat").write_text(text, encoding="ascii")


def _areas(lives: Lives, folder: Path) -> None:
    """The two published files, for the postcodes in use: the postcode directory and the deciles of
    deprivation.
    """
    places = {code: family for family in lives.families for code in family.postcodes}
    sectors = sorted(
        {(code[:-2], family.residence, family.imd_quintile) for code, family in places.items()}
    )
    lsoa = {sector: f"E{1000000 + number:08d}" for number, (sector, *_) in enumerate(sectors)}
    (folder / "areas").mkdir(exist_ok=True)
    write_rows(
        folder / "areas" / "ONSPD_made_up.csv",
        ["pcds", "lsoa21cd", "wd24cd", "lad24cd"],
        (
            [code, lsoa[code[:-2]], WARDS[family.residence], "E09000022"]
            for code, family in sorted(places.items())
        ),
    )
    write_rows(
        folder / "areas" / "IMD_made_up.csv",
        [
            "LSOA code (2021)",
            "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)",
        ],
        ([lsoa[sector], str(2 * quintile - 1)] for sector, _, quintile in sectors),
    )
