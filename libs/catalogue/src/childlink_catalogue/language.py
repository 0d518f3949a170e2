"""The keys of a catalogue's files, with what they mean: the source of the JSON Schemas and of
docs/reference/catalogue.md. No I/O.

A catalogue declares what is counted. It holds no SQL, and runs no code.
"""

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictInt, StringConstraints, TypeAdapter, model_validator

from childlink_catalogue.reading import FileKeys

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
CategoryId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./+-]{0,59}$")]
ListName = Annotated[
    str, StringConstraints(pattern=r"^(services|instruments|areas\.[a-z][a-z0-9_]*)$")
]
"""A list that categories or codes are taken from. `areas.ward`: the areas of the level ward."""
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]
Text = Annotated[str, StringConstraints(min_length=1)]
Who = Literal["child", "adult", "family", "person"]
Counted = Literal["children", "adults", "families", "people", "attendances"]
OTHERS: Final = "others"
"""In a share: all categories that the other side does not name."""
Condition = dict[AttributeName, list[str]]
"""Texts that each attribute may have."""
PeriodUnit = Literal["quarter", "calendar_year", "financial_year", "school_year"]

ROLES: Final[dict[Counted, Who]] = {
    "children": "child",
    "adults": "adult",
    "families": "family",
    "people": "person",
    "attendances": "child",
}
"""Whose rows are counted."""


class CatalogueKeys(FileKeys):
    """catalogue.toml: whose catalogue it is."""

    id: Id = Field(description="Short name of the partnership.", examples=["leap"])
    title: Text = Field(description="Name of the partnership.")
    version: int = Field(ge=1, description="Rises by at least 1 with every change.", examples=["3"])
    windows: list[int] = Field(
        [],
        description=(
            "Months before an event at which exposures may begin or end. No other may be used, so"
            " that two exposures never differ by a few children."
        ),
        examples=["[1, 12, 24, 60]"],
    )


class ServiceKeys(FileKeys):
    """services.toml: one table for each service."""

    title: Text = Field(description="Name of the service.")
    strand: Id | None = Field(None, description="Strand of the programme it belongs to.")
    kind: Id | None = Field(
        None, description="For example direct, targeted or outreach.", examples=['"targeted"']
    )
    provider: str = Field("", description="Who delivers it.")
    sessions: int | None = Field(None, ge=1, description="Number of sessions that complete it.")
    reach: int | None = Field(None, ge=1, description="Number of people it aims to reach.")
    begins: date | None = Field(None, description="First day.")
    ends: date | None = Field(None, description="Last day.")


class CutOffKeys(FileKeys):
    """A cut-off of an instrument."""

    at: float = Field(description="The score.")
    title: Text = Field(description="What a score on its worse side means.")


class InstrumentKeys(FileKeys):
    """instruments/*.toml: one table for each scale of a questionnaire."""

    title: Text = Field(description="Name of the scale.")
    domain: Id = Field(description="What it measures.", examples=['"mental_health"'])
    range: tuple[float, float] = Field(description="Lowest and highest possible score.")
    better: Literal["lower", "higher"] = Field(description="Which end is better.")
    of: Literal["child", "adult", "pair", "setting"] = Field(
        "adult", description="Who or what is scored."
    )
    subscale_of: Id | None = Field(None, description="The scale that it is a part of.")
    items: int | None = Field(None, ge=1, description="Number of items.")
    cut_offs: dict[Id, CutOffKeys] = Field(
        {},
        description="Published cut-offs.",
        examples=['{ clinical = { at = 11, title = "Clinical range" } }'],
    )
    licence: str = Field("", description="Under which conditions it may be used.")
    source: str = Field("", description="Publication that defines the scale.")

    @model_validator(mode="after")
    def _ordered(self) -> "InstrumentKeys":
        if self.range[0] >= self.range[1]:
            raise ValueError("the range must rise: write the lowest possible score first")
        outside = [
            name
            for name, cut in self.cut_offs.items()
            if not self.range[0] <= cut.at <= self.range[1]
        ]
        if outside:
            raise ValueError(f"the cut-off {outside[0]} is outside the range")
        return self


class BandsKeys(FileKeys):
    """Bands of a number: `{ at = [37], into = ["preterm", "term"] }`. A number below the first edge
    is in the first band, and a number on an edge is in the band above it.
    """

    at: list[float] = Field(min_length=1, description="Edges, rising.")
    into: list[CategoryId] = Field(description="A band more than there are edges.")

    @model_validator(mode="after")
    def _fits(self) -> "BandsKeys":
        if sorted(set(self.at)) != self.at:
            raise ValueError("the edges of a band must rise")
        if len(self.into) != len(self.at) + 1:
            raise ValueError(f"{len(self.at)} edges make {len(self.at) + 1} bands")
        return self


class CaseKeys(FileKeys):
    """A case of `when`. It holds if all of `all`, and any of `any`, are so."""

    all: Condition = Field({}, description="Variables, with the categories that each may have.")
    any: Condition = Field({}, description="One of these is enough.")
    value: CategoryId = Field(alias="is", description="The category then.")


class VariableKeys(FileKeys):
    """What sorts people into categories. Exactly one of the keys up to `when` says what it is."""

    attribute: AttributeName | None = Field(
        None,
        description=(
            "An attribute of the counted row. `service.kind` is the kind of its service,"
            " `instrument.domain` the domain of its instrument, and `ward.borough` the area of the"
            " level borough in which its ward lies."
        ),
        examples=['{ attribute = "birth_weight", cut = { at = [2500], into = ["low", "other"] } }'],
    )
    exposure: Id | None = Field(
        None, description="An exposure.", examples=['{ exposure = "engaged" }']
    )
    period: Id | None = Field(
        None,
        description="A dimension with a `period`: when it happened.",
        examples=['{ period = "quarter" }'],
    )
    sessions: Literal["rows"] | None = Field(
        None,
        description="How many rows a person has.",
        examples=['{ sessions = "rows", cut = { at = [2], into = ["once", "again"] } }'],
    )
    different: AttributeName | None = Field(
        None, description="How many different values of an attribute a person has."
    )
    of_rows: Condition = Field(
        {},
        description="With `sessions` or `different`: only rows with these values count.",
        examples=['{ "service.kind" = ["direct", "targeted"] }'],
    )
    first: AttributeName | None = Field(
        None, description="The first value that a person has of an attribute."
    )
    following: AttributeName | None = Field(
        None, description="The value after the first, if it is another; otherwise none."
    )
    first_in: Id | None = Field(
        None,
        description=(
            "A dimension with a `period`: `new` in the period of a person's first row, and"
            " `returning` in later ones."
        ),
    )
    completed: AttributeName | None = Field(
        None,
        description=(
            "`yes` if a person has as many rows of this service as it has `sessions`, `no` if"
            " fewer, and `no_target` if it has none."
        ),
        examples=['{ completed = "service" }'],
    )
    months: Literal["first_to_last"] | None = Field(
        None,
        description="How many months lie between a person's first row and the last.",
        examples=['{ months = "first_to_last", cut = { at = [6], into = ["short", "long"] } }'],
    )
    months_to: Condition | None = Field(
        None,
        description=(
            "How many months lie between a person's first row and the first row with these values."
            " Without such a row: `otherwise`."
        ),
        examples=['{ months_to = { "service.kind" = ["targeted"] }, steps = "months_waited" }'],
    )
    rows_in: Id | None = Field(
        None, description="How many rows a person has in another dataset, at any time."
    )
    datasets: Literal["known_in"] | None = Field(
        None, description="In how many datasets a person is known."
    )
    change: Literal["percent"] | None = Field(
        None,
        description=(
            "The change between two questionnaires, in per cent of the scale's range, in the good"
            " direction."
        ),
    )
    score: Literal["before", "after"] | None = Field(
        None,
        description=(
            "One of the two scores: on which side of a `cut_off` it is (`worse`, `better`, or"
            " `no_cut_off`), or where it is on the scale, in per cent of its range."
        ),
        examples=['{ score = "before", cut_off = "clinical" }'],
    )
    cut_off: Id | None = Field(None, description="Of a score: a cut-off of the instruments.")
    pair: AttributeName | None = Field(
        None, description="Of a change: the value of an attribute, or `several`."
    )
    when: list[CaseKeys] | None = Field(
        None,
        description="The first case that holds.",
        examples=['[{ any = { imd_quintile = ["1"] }, is = "priority" }]'],
    )
    values: dict[str, CategoryId] | None = Field(
        None, description="The category of each value.", examples=['{ true = "expected" }']
    )
    cut: BandsKeys | None = Field(None, description="Bands of a number.")
    steps: Id | None = Field(
        None,
        description="A dimension with `steps`: bands of a number as it declares them.",
        examples=['"score_band"'],
    )
    otherwise: CategoryId | None = Field(
        None, description="The category if nothing fits. Default: not recorded."
    )
    round_to: int | None = Field(
        None, ge=1, description="Of a change: the width of its bands, centred on the middle."
    )
    limits: tuple[int, int] | None = Field(
        None, description="Of a change: the lowest and the highest band."
    )

    @property
    def kind(self) -> str:
        """What it is: the name of its first key."""
        return next(name for name in KINDS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> "VariableKeys":
        if sum(getattr(self, name) is not None for name in KINDS) != 1:
            raise ValueError(f"give exactly one of {', '.join(KINDS)}")
        if sum(item is not None for item in (self.values, self.cut, self.steps)) > 1:
            raise ValueError("give at most one of values, cut, steps")
        banded = self.cut or self.steps
        if self.kind in NUMBERS and not banded:
            raise ValueError(f"`{self.kind}` is a number: give its bands with `cut` or `steps`")
        if self.kind == "score" and bool(banded) == bool(self.cut_off):
            raise ValueError("`score` needs either `cut_off`, or its bands (`cut` or `steps`)")
        if self.kind == "change" and not banded and not (self.round_to and self.limits):
            raise ValueError("`change` is a number: give `cut`, or `round_to` and `limits`")
        return self


KINDS: Final = (
    "attribute",
    "exposure",
    "period",
    "sessions",
    "different",
    "first",
    "following",
    "first_in",
    "completed",
    "months",
    "months_to",
    "rows_in",
    "datasets",
    "change",
    "score",
    "pair",
    "when",
)
"""The keys of a variable that say what it is."""
NUMBERS: Final = ("sessions", "different", "months", "months_to", "rows_in", "datasets")
"""Those of them that give a number, which needs bands."""


class CharacteristicKeys(FileKeys):
    """characteristics.toml: what is known of people, whichever dataset says it. Sources may differ;
    `take` decides.
    """

    of: list[Who] = Field(description="Who has it.", examples=['["child", "family"]'])
    attribute: AttributeName | None = Field(None, description="The attribute that says it.")
    datasets: list[Id] = Field(
        [], description="Datasets that may say it. Default: all that have the attribute."
    )
    take: Literal["latest", "earliest"] = Field(
        "latest", description="Which value counts if sources differ."
    )
    values: dict[str, CategoryId] | None = Field(None, description="The category of each value.")
    cut: BandsKeys | None = Field(None, description="Bands of a number.")
    when: list[CaseKeys] | None = Field(
        None, description="Instead of an attribute: cases of other characteristics."
    )
    otherwise: CategoryId | None = Field(None, description="The category if no case holds.")
    hidden: bool = Field(
        False, description="Only other characteristics use it; nothing is published by it."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "CharacteristicKeys":
        if (self.attribute is None) == (self.when is None):
            raise ValueError("give exactly one of attribute, when")
        return self


class ExposureKeys(FileKeys):
    """exposures.toml: what came before an event. Of the rows of `dataset` before the event, either
    the number counts, or a value of the last.
    """

    title: Text = Field(description="What it means.")
    dataset: Id = Field(description="The dataset of the earlier rows.")
    where: Condition = Field(
        {},
        description="Only rows with these values count.",
        examples=['{ "service.kind" = ["targeted"] }'],
    )
    of: Literal["person", "family"] = Field(
        "person",
        description=(
            "Whose rows count: the counted person's own, or those of anyone of the family. A"
            " mother's visits in pregnancy count for her child only with `family`."
        ),
    )
    until: int = Field(
        1, ge=1, description="The last month that counts, in months before the event."
    )
    since: int | None = Field(
        None, ge=1, description="The first month that counts. Default: any earlier month."
    )
    cut: BandsKeys | None = Field(
        None,
        description="Bands of the number of rows, or of the value.",
        examples=['{ at = [1], into = ["not_engaged", "engaged"] }'],
    )
    attribute: AttributeName | None = Field(
        None, description="The attribute whose last value counts, instead of the number of rows."
    )
    different: AttributeName | None = Field(
        None, description="Count the different values of an attribute, instead of rows."
    )
    values: dict[str, CategoryId] | None = Field(None, description="The category of each value.")

    @model_validator(mode="after")
    def _sound(self) -> "ExposureKeys":
        if self.since is not None and self.since < self.until:
            raise ValueError("`since` must be at least `until`: both count months before the event")
        if self.attribute is None and (self.cut is None or self.values is not None):
            raise ValueError("a number of rows needs its bands: give `cut`")
        return self


class PeriodKeys(FileKeys):
    """The periods of a dimension, up to a release's last day. Everything before them is one
    category.
    """

    unit: PeriodUnit = Field(description="Length of a period.")
    last: int = Field(ge=1, le=40, description="How many single periods.")


class StepsKeys(FileKeys):
    """Bands of equal width, for a mean: `{ first = 0, last = 25, step = 5, whole = true }` makes
    0 to 4, 5 to 9, and so on up to 25 to 29. The category of a band is its first number.
    """

    first: int = Field(description="The first number of the first band.")
    last: int = Field(description="The first number of the last band.")
    step: int = Field(ge=1, description="Width of a band.")
    centred: bool = Field(False, description="Each band is around its number, not from it.")
    whole: bool = Field(
        False, description="Numbers are whole, so the middle of 10 to 14 is 12 and not 12.5."
    )


class DimensionKeys(FileKeys):
    """dimensions.toml: categories that tables are broken down by."""

    title: Text = Field(description="Heading.")
    categories: dict[CategoryId, str] = Field({}, description="Titles, in order.")
    categories_from: ListName | None = Field(
        None, description="Categories are the services, the instruments, or the areas of a level."
    )
    only: list[CategoryId] = Field([], description="Of those, only these.")
    before: dict[CategoryId, str] = Field({}, description="Further categories before those.")
    after: dict[CategoryId, str] = Field({}, description="Further categories after those.")
    period: PeriodKeys | None = Field(None, description="Categories are periods.")
    steps: StepsKeys | None = Field(None, description="Categories are bands of a number.")
    midpoints: dict[CategoryId, float] = Field({}, description="Of bands: the middle of each.")
    overlapping: bool = Field(
        False, description="One person may be in several, so counts do not sum."
    )
    ordered: bool = Field(False, description="Whether they have an order, such as deprivation.")
    within: Id | None = Field(
        None, description="An overlapping dimension that this one describes a person within."
    )
    once: CategoryId | None = Field(
        None, description="The category that each person is in exactly once over all of `within`."
    )
    same: dict[CategoryId, tuple[Id, CategoryId]] = Field(
        {},
        description="Categories that hold exactly the people of a category of another dimension.",
    )
    parts: dict[CategoryId, tuple[Id, list[CategoryId]]] = Field(
        {},
        description=(
            "Categories that are made up of categories of a finer dimension, such as a borough of"
            " its wards."
        ),
    )

    @model_validator(mode="after")
    def _one_source(self) -> "DimensionKeys":
        given = (self.categories, self.categories_from, self.period, self.steps)
        if sum(bool(item) for item in given) != 1:
            raise ValueError("give exactly one of categories, categories_from, period, steps")
        return self


class PairsKeys(FileKeys):
    """Two questionnaires of one person: the first before, and the last after."""

    by: list[AttributeName] = Field(
        description="Both have the same values of these.", examples=['["instrument", "service"]']
    )
    each: AttributeName | None = Field(
        None,
        description="A person is counted once for each value of this, such as the domain.",
        examples=['"instrument.domain"'],
    )
    before: Condition = Field(description="What makes it the first.")
    after: Condition = Field(description="What makes it the last.")
    score: AttributeName = Field(description="The attribute with the score.")
    instrument: AttributeName = Field(description="The attribute with the instrument.")


class PopulationKeys(FileKeys):
    """A population: who is counted, and what sorts them. Give `dataset`, or `known_in`."""

    id: Id = Field(description="Short name.")
    title: Text = Field(description="Who is counted.")
    counts: Counted = Field(description="What is counted.")
    dataset: Id | None = Field(None, description="People with a row in this dataset.")
    take: Literal["first", "last", "each"] = Field(
        "last",
        description="Which of a person's rows counts. `each`: all, so that categories may overlap.",
    )
    where: Condition = Field({}, description="Only rows with these values.")
    known_in: list[str] = Field(
        [], description='People with a row in any of these datasets. ["*"]: in any at all.'
    )
    pairs: PairsKeys | None = Field(None, description="Only people with both questionnaires.")
    variables: dict[Id, VariableKeys] = Field(
        {}, description="What sorts them, besides characteristics."
    )

    @model_validator(mode="after")
    def _one_base(self) -> "PopulationKeys":
        if (self.dataset is None) == (not self.known_in):
            raise ValueError("give exactly one of dataset, known_in")
        return self


class ShareKeys(FileKeys):
    """A share of the people of both groups."""

    dimension: Id = Field(description="The dimension of both groups.")
    of: CategoryId | list[CategoryId] = Field(
        description=(
            "Categories of the first group. `others`: all that `against` does not name, except"
            " not_recorded."
        )
    )
    against: CategoryId | list[CategoryId] = Field(description="Categories of the second group.")


class MeanKeys(FileKeys):
    """A mean over bands. People without a recorded value do not count in it."""

    dimension: Id = Field(description="A dimension with `steps` or `midpoints`.")


class CompareKeys(FileKeys):
    """Two groups that may be compared, within strata of equal chances to be in the first."""

    dimension: Id = Field(description="An exposure.")
    of: CategoryId
    against: CategoryId
    strata: Id = Field("stratum", description="The dimension of the strata.")
    adjusted_for: list[Id] = Field(
        description="Variables that the strata are fitted on. Never an outcome."
    )


class MeasureKeys(FileKeys):
    """A measure: what analysts ask for."""

    id: Id = Field(description="Short name.")
    title: Text = Field(description="Name.")
    description: Text = Field(description="What it counts. Readers of the figure see this.")
    population: Id = Field(description="Who is counted.")
    where: dict[Id, list[CategoryId]] = Field(
        {}, description="Only people in these categories of variables."
    )
    columns: dict[Id, Id] = Field(
        {}, description="The variable of a dimension, if it has another name."
    )
    cubes: list[list[Id]] = Field(min_length=1, description="Dimensions that are crossed.")
    share: ShareKeys | None = Field(None, description="Give a share.")
    mean: MeanKeys | None = Field(None, description="Give a mean.")
    compare: CompareKeys | None = Field(None, description="Let two groups be compared.")
    harmless: bool = Field(
        False, description="It is harmless to reveal that all or none of a group are counted."
    )
    rank: int = Field(
        5,
        ge=1,
        le=9,
        description=(
            "What is kept longest if not everything can be protected: 1 longest, 9 shortest. Of"
            " equal ranks, the measure that is declared last loses a breakdown first."
        ),
    )
    population_of: Id | None = Field(
        None, description="The population in the file of denominators, for a rate."
    )
    implies: list[tuple[Id, CategoryId, Id, CategoryId]] = Field(
        [],
        description=(
            "(variable, category, variable, category): everyone in the first category is also in"
            " the second. Name a rule that is public knowledge, because an attacker would use it."
        ),
    )


class TableKeys(FileKeys):
    """A table of public or management figures that are not of linked people: costs, targets,
    benchmarks, sessions held, places. Its values are in a CSV file of the same name at the hub, and
    are published as they are. Nothing about single people belongs in it.
    """

    id: Id = Field(description="Short name, and the name of its CSV file.", examples=["spending"])
    title: Text = Field(description="Name.")
    description: Text = Field(description="What its figures are. Readers of the figures see this.")
    unit: Text = Field(description="What is counted.", examples=["pounds", "sessions"])
    source: Text = Field(description="Where the figures come from, with the year.")
    cubes: list[list[Id]] = Field(min_length=1, description="Dimensions that are crossed.")
    share: ShareKeys | None = Field(None, description="Give a share.")


class TablesFileKeys(FileKeys):
    """tables/*.toml: tables that stand beside the linked figures."""

    table: list[TableKeys] = Field([], description="Tables.")


class MeasuresFileKeys(FileKeys):
    """measures/*.toml: populations and measures."""

    population: list[PopulationKeys] = Field([], description="Populations.")
    measure: list[MeasureKeys] = Field([], description="Measures.")


Derived = Literal[
    "lsoa", "ward", "imd_decile", "imd_quintile", "residence", "birth_year", "adult_role"
]


class QuestionKeys(FileKeys):
    """questions.toml: what people ask, in their words, and how it is asked here. Give `measure`, or
    `lacks`.
    """

    theme: Text = Field(description="What it is about.")
    question: Text = Field(description="The question, in words.")
    by_means_of: Literal["ask", "compare", "change", "inequality", "pathways", "contrast"] = Field(
        "ask", description="The command that answers it."
    )
    measure: Id | None = Field(None, description="The measure that is asked.")
    by: list[str] = Field(
        [], description="Dimensions of the answer; of `pathways`, the first service."
    )
    where: dict[Id, list[CategoryId]] = Field({}, description="Only these categories.")
    against: dict[Id, list[CategoryId]] = Field(
        {}, description="Of `contrast`: the other group. `where` is the first."
    )
    per: Id | None = Field(
        None, description="Of `contrast`: the measure or table of the other group, if another."
    )
    missed: float = Field(
        0.0, ge=0.0, lt=0.5, description="Of `compare`: the share of links that may be missed."
    )
    lacks: list[str] = Field([], description="What is missing to ask it.")

    @property
    def command(self) -> str:
        """How an analyst asks it."""
        words = ["childlink", self.by_means_of]
        if self.by_means_of == "pathways":
            return " ".join([*words, *self.by])
        words.append(self.measure or "")
        option = "--over" if self.by_means_of == "inequality" else "--by"
        words += [word for name in self.by for word in (option, name)]
        for name, categories in self.where.items():
            words += ["--where", f"{name}={','.join(categories)}"]
        for name, categories in self.against.items():
            words += ["--against", f"{name}={','.join(categories)}"]
        words += ["--per", self.per] if self.per else []
        words += ["--missed", f"{self.missed * 100:g}%"] if self.missed else []
        return " ".join(words)

    @model_validator(mode="after")
    def _one_of(self) -> "QuestionKeys":
        if (self.measure is None) == (not self.lacks):
            raise ValueError("give exactly one of measure, lacks")
        if (self.by_means_of == "contrast") != bool(self.against or self.per):
            raise ValueError("`contrast` needs `against` or `per`, and nothing else has them")
        if self.missed and self.by_means_of != "compare":
            raise ValueError("only `compare` has `missed`")
        return self


IDENTIFYING: Final = (
    "child_",
    "adult_",
    "nhs_n",
    "name",
    "postcode",
    "date_of_birth",
    "dob",
    "upn",
    "uprn",
    "address",
    "email",
    "phone",
    "row_id",
    "deleted",
)
"""Parts of names that no attribute may have: what they stand for is identity, and stays at the
site.
"""


class AreaKeys(FileKeys):
    """areas.toml: the partnership's areas by code, in one hierarchy. Each area lies within one area
    of the next coarser level, so areas never overlap.
    """

    title: Text = Field(description="Name.", examples=['"Tulse Hill"'])
    level: Id = Field(description="What kind of area it is.", examples=['"ward"'])
    within: CategoryId | None = Field(
        None, description="The area that it is part of.", examples=['"E09000022"']
    )


class FieldKeys(FileKeys):
    """A field of a dataset."""

    name: Id = Field(description="Name of the attribute.")
    title: Text = Field(description="What it is.")
    type: Literal["month", "code", "integer", "number", "flag"] = Field(description="Its type.")
    required: bool = Field(False, description="A row without it is rejected.")
    codes: list[str] = Field(
        [], description="Possible values of a code. With `codes_from`: only these of them."
    )
    codes_from: ListName | None = Field(
        None, description="The values are the services, the instruments, or the areas of a level."
    )
    range: tuple[StrictInt | float, StrictInt | float] | None = Field(
        None, description="Possible numbers."
    )
    unit: str = Field("", description="Unit of a number.")
    derive: Derived | None = Field(
        None,
        description=(
            "The site derives it if the extract has no column: from the postcode, or from the"
            " child's date of birth, or from what the adult is to the child."
        ),
    )
    coding: str = Field("", description="Table of codings.toml with what sources write.")
    after_birth: bool = Field(False, description="A month that cannot be before the birth.")
    range_by: str = Field("", description="The field that names the instrument.")
    disclosive: Literal["low", "medium", "high"] = Field(
        "medium", description="How much it narrows down the person, or harms if known."
    )

    @model_validator(mode="after")
    def _has_values(self) -> "FieldKeys":
        if (self.type == "code") != bool(self.codes or self.codes_from):
            raise ValueError("a field of type code needs its `codes`, and only such a field")
        if self.range and self.range[0] >= self.range[1]:
            raise ValueError("the range must rise: write the lowest possible number first")
        if any(word in self.name for word in IDENTIFYING):
            raise ValueError(
                f"{self.name} reads like identity, which is encoded and never sent as a field"
            )
        return self


class DatasetKeys(FileKeys):
    """datasets/*.toml: the contract for one kind of extract."""

    name: Id = Field(description="Name of the dataset, and of its file.")
    version: int = Field(ge=1, description="Rises when a field is added.")
    title: Text = Field(description="What the rows are.")
    subjects: list[Literal["child", "adult"]] = Field(description="Whom a row is about.")
    event: str = Field("", description='The month that says when. "" for a list of people.')
    adult_relation: Literal["mother", "father", "carer"] | None = Field(
        None, description="What the adult always is to the child."
    )
    permitted_list: bool = Field(False, description="The national data opt-out applies.")
    one_row_per_child: bool = Field(False, description="A child has one row.")
    births_from: int = Field(1900, description="The first possible year of birth.")
    demographics: bool = Field(False, description="It has the fields of shared_fields.toml too.")
    field: list[FieldKeys] = Field([], description="Its fields.")


class SharedFieldsKeys(FileKeys):
    """shared_fields.toml: fields of all datasets with `demographics = true`."""

    field: list[FieldKeys]


FILES: Final[tuple[tuple[str, Any, tuple[type[FileKeys], ...]], ...]] = (
    ("catalogue.toml", CatalogueKeys, (CatalogueKeys,)),
    ("datasets/*.toml", DatasetKeys, (DatasetKeys, FieldKeys)),
    ("shared_fields.toml", SharedFieldsKeys, (SharedFieldsKeys,)),
    ("codings.toml", dict[str, dict[str, list[str]]], ()),
    ("services.toml", dict[Id, ServiceKeys], (ServiceKeys,)),
    ("areas.toml", dict[CategoryId, AreaKeys], (AreaKeys,)),
    ("instruments/*.toml", dict[Id, InstrumentKeys], (InstrumentKeys, CutOffKeys)),
    ("characteristics.toml", dict[Id, CharacteristicKeys], (CharacteristicKeys,)),
    ("exposures.toml", dict[Id, ExposureKeys], (ExposureKeys,)),
    ("dimensions.toml", dict[Id, DimensionKeys], (DimensionKeys, PeriodKeys, StepsKeys)),
    (
        "measures/*.toml",
        MeasuresFileKeys,
        (
            PopulationKeys,
            VariableKeys,
            CaseKeys,
            BandsKeys,
            PairsKeys,
            MeasureKeys,
            ShareKeys,
            CompareKeys,
        ),
    ),
    ("tables/*.toml", TablesFileKeys, (TableKeys,)),
    ("questions.toml", dict[Id, QuestionKeys], (QuestionKeys,)),
    ("recipes/*.toml", dict[str, Any], ()),
    ("reports/*.toml", dict[str, Any], ()),
)
"""Each file of a catalogue, what it may say, and the tables that it consists of."""


def json_schema(file: str) -> dict[str, Any]:
    """The JSON Schema of one of the `FILES`."""
    kind = next(kind for name, kind, _ in FILES if name == file)
    return TypeAdapter(kind).json_schema()
