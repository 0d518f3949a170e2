"""The keys of a mapping file, with what they mean: the source of its JSON Schema and of
docs/reference/mapping.md. No I/O.

A mapping is declarative. It chooses, joins, splits and codes values, and never runs code.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    model_validator,
)

Text = Annotated[str, StringConstraints(strict=True, min_length=1)]
Code = StrictBool | StrictInt | StrictFloat | StrictStr
FIND: Final = "find"
EXCEL: Final = "excel"
LAST_SPACE: Final = "last space"


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SplitKeys(_Keys):
    """Takes one part of a value: `{ at = ",", part = 2 }` takes Nia from "SMITH, Nia"."""

    at: Text = Field(description='The text between the parts, or "last space".')
    part: StrictInt = Field(description="Number of the part: 1 is the first, -1 the last.")


class ColumnKeys(_Keys):
    """Where a value comes from, and how it is read. Exactly one of `column`, `any_of`, `matching`,
    `position`, `first_of` and `constant` says where it comes from.
    """

    column: Text | list[Text] | None = Field(
        None,
        description="Header of the column. Of several columns, the values are joined by `join`.",
        examples=['{ column = ["Forename", "Middle names"], join = " " }'],
    )
    any_of: list[Text] | None = Field(
        None,
        description="Other names of the same column. The extract has exactly one of them.",
        examples=['{ any_of = ["DOB", "Date of birth"] }'],
    )
    matching: Text | None = Field(
        None,
        description="A regular expression that matches the header of exactly one column.",
        examples=['{ matching = "^Score at .* months$" }'],
    )
    position: StrictInt | None = Field(
        None,
        ge=1,
        description="Number of the column: 1 is the first. For headers that repeat or are empty.",
        examples=["{ position = 3 }"],
    )
    first_of: list[Text] | None = Field(
        None,
        description="Several columns. The first that has a value counts.",
        examples=['{ first_of = ["Mobile clinic date", "Clinic date"] }'],
    )
    constant: StrictStr | None = Field(
        None,
        description="The same value in every row.",
        examples=['{ constant = "mother" }'],
    )
    of_row: Text | list[Text] | None = Field(
        None,
        description=(
            "With `pivot`: the value is of the row whose `name` is this text, or one of these. A"
            " text with * stands for all texts that fit."
        ),
        examples=['{ column = "Given on", of_row = "MMR*1" }'],
    )
    join: StrictStr = Field(
        "|",
        description="The text between joined values.",
        examples=['{ column = ["Year", "Month", "Day"], format = "%Y|%m|%d" }'],
    )
    null: list[StrictStr] | None = Field(
        None,
        description="Texts that mean that there is no value, in this column.",
        examples=['{ column = "Weight", null = ["9999"] }'],
    )
    extract: Text | None = Field(
        None,
        description="A regular expression. Its first group is the value. No match: no value.",
        examples=["{ column = \"Service\", extract = '^([A-Z]+)-' }"],
    )
    split: SplitKeys | None = Field(
        None,
        description="Takes one part of the value.",
        examples=['{ column = "Full name", split = { at = ",", part = 1 } }'],
    )
    format: Text | list[Text] | None = Field(
        None,
        description=(
            "Format of a date, as in Python's strptime, or several. `excel` reads day numbers of"
            " Excel. Times of day are ignored."
        ),
        examples=['{ column = "DOB", format = ["%d/%m/%Y", "excel"] }'],
    )
    codes: dict[str, Code] | None = Field(
        None,
        description=(
            "The contract's code for each text of the source. A text with * stands for all texts"
            ' that fit, and the text "" for an empty field. A code "" means that there is no value.'
        ),
        examples=['{ column = "Status", codes = { "Compl*" = true, "DNA" = false, "?" = "" } }'],
    )
    default: Code | None = Field(
        None,
        description="The code of all texts that `codes` does not list.",
        examples=['{ column = "MMR", codes = { "Y" = true }, default = false }'],
    )
    times: StrictFloat | StrictInt | None = Field(
        None,
        description="Turns a number into the contract's unit, such as kilograms into grams.",
        examples=['{ column = "Birth weight (kg)", times = 1000 }'],
    )
    lookup: Text | None = Field(
        None,
        description=(
            "A CSV file beside the mapping with the columns from and to: more `codes`. An approval"
            " covers it."
        ),
        examples=['{ column = "Venue", lookup = "venues.csv" }'],
    )

    @model_validator(mode="after")
    def _one_place(self) -> "ColumnKeys":
        places = (
            self.column,
            self.any_of,
            self.matching,
            self.position,
            self.first_of,
            self.constant,
        )
        if sum(place is not None and place != [] for place in places) != 1:
            raise ValueError(
                "give exactly one of column, any_of, matching, position, first_of, constant"
            )
        if self.of_row is not None and not isinstance(self.column, str):
            raise ValueError("of_row needs one column")
        return self


class ConditionKeys(_Keys):
    """A condition on a column of a row. It holds if everything that it says is so."""

    column: Text = Field(description="Header of the column.")
    filled: StrictBool | None = Field(None, description="Whether the row has a value.")
    one_of: list[StrictStr] | None = Field(None, description="The value is one of these texts.")
    none_of: list[StrictStr] | None = Field(None, description="The value is none of these texts.")
    matching: Text | None = Field(None, description="A regular expression that the value fits.")


class NewestKeys(_Keys):
    """Keeps one row of a history."""

    by: Text | list[Text] = Field(description="Columns that together name what has a history.")
    order: Text = Field(description="Column with a date or a number. The greatest counts.")


class PivotKeys(_Keys):
    """Makes one row of several, for a source that writes a row for each vaccine or question. The
    first row of a person gives all columns without `of_row`.
    """

    by: Text | list[Text] = Field(description="Columns that together name what has several rows.")
    name: Text = Field(description="Column that says what a row is about, such as the vaccine.")


ColumnEntry = Text | ColumnKeys


class MappingKeys(_Keys):
    """A mapping file."""

    dataset: Text = Field(description="Name of the dataset contract.", examples=['"asq3"'])
    columns: dict[str, ColumnEntry] = Field(
        description=(
            "For each column of the contract, the header of a column of the extract, or a table"
            " (see below)."
        ),
    )
    ignore: list[Text] = Field(
        [],
        description="Columns that are known and not sent. * stands for any text.",
        examples=['["Practitioner", "Notes*"]'],
    )
    encoding: Text = Field(
        "utf-8",
        description="Encoding of a text file. `auto` finds it by content.",
        examples=['"cp1252"'],
    )
    delimiter: Text = Field(
        ",", description="The delimiter. `auto` finds it by content.", examples=['"\\t"']
    )
    sheet: StrictStr = Field(
        "",
        description="Sheet of a spreadsheet; default: the first. Each sheet has its own mapping.",
        examples=['"Export"'],
    )
    header_row: StrictInt | Literal["find"] = Field(
        1,
        description=(
            "Line of the header. `find` takes the first line that has all mapped columns, so titles"
            " above it may change."
        ),
        examples=['"find"'],
    )
    skip_rows: StrictInt = Field(
        0,
        ge=0,
        le=1000,
        description="Lines below the header that are no data, such as instructions.",
        examples=["1"],
    )
    short_rows: Literal["reject", "pad"] = Field(
        "reject",
        description="What happens to a row with fewer fields than the header.",
        examples=['"pad"'],
    )
    null: list[StrictStr] = Field(
        [],
        description="Texts that mean that there is no value, in every column.",
        examples=['["NULL", "N/A"]'],
    )
    where: list[ConditionKeys] = Field(
        [],
        description="Only rows that fulfil all conditions are taken. The others are counted.",
        examples=['[{ column = "NHS No", filled = true }]'],
    )
    newest: NewestKeys | None = Field(
        None,
        description="Of several rows of a history, only the newest is taken.",
        examples=['{ by = "PatientID", order = "ValidFrom" }'],
    )
    pivot: PivotKeys | None = Field(
        None,
        description=(
            "Makes one row of all rows that are alike in `by`. Columns with `of_row` take their"
            " value from one of them."
        ),
        examples=['{ by = "Child id", name = "Vaccine" }'],
    )
    each: list[dict[str, ColumnEntry]] = Field(
        [],
        description=(
            "Makes several rows of one: one for each table, whose columns replace those of"
            " `columns`. A table whose columns are all empty makes no row."
        ),
        examples=['[{ session_date = "Visit 1" }, { session_date = "Visit 2" }]'],
    )
    min_filled: dict[str, StrictFloat] = Field(
        {},
        description="The least share of rows with a usable value. Below it, nothing is sent.",
        examples=["{ child_postcode = 0.8 }"],
    )
    id_space: Text = Field(
        "default",
        description="Person ids are unique within their id space.",
        examples=['"child-health-system"'],
    )
    adult_id_space: Text | None = Field(
        None, description="The id space of adults, if it is another."
    )
    ids: Literal["person", "visit"] = Field(
        "person",
        description="`visit`: the ids are of forms or visits, so one person may have several.",
        examples=['"visit"'],
    )
    placeholder_ids: list[Text] = Field(
        [],
        description=("Placeholders in an id column. A row with one counts as a row without an id."),
        examples=['["TBC", "9.99E+09"]'],
    )
    default_dates: list[Text] = Field(
        [],
        description="Birthdays (month-day) that the source writes for unknown ones.",
        examples=['["01-01"]'],
    )
    delivers: Literal["increment", "snapshot"] = Field(
        "increment",
        description="`snapshot`: rows that are missing from the extract are withdrawn.",
        examples=['"snapshot"'],
    )
    feed: Text | None = Field(
        None,
        description="Name of the feed, if one dataset has several extracts.",
        examples=['"asq3 of the north team"'],
    )
    files: Text | None = Field(
        None,
        description="Files for which `watch` uses this mapping.",
        examples=['"asq3_*.csv"'],
    )
    schedule: Text | None = Field(
        None,
        description="Local time at which `watch` runs a query.",
        examples=['"02:30"'],
    )
    opt_out_exempt: Text | None = Field(
        None,
        description=(
            "Why the national data opt-out does not apply to a dataset that it usually applies to."
        ),
        examples=['"section 251, 23/CAG/0001"'],
    )
    area: dict[str, Any] | None = Field(
        None,
        description="ONS areas of the programme and the borough: see how-to/send-an-extract.",
    )


PARTS: Final[tuple[tuple[str, type[BaseModel]], ...]] = (
    ("A mapping", MappingKeys),
    ("A column that is not only a header", ColumnKeys),
    ("A condition of `where`", ConditionKeys),
    ("`newest`", NewestKeys),
    ("`pivot`", PivotKeys),
    ("`split`", SplitKeys),
)
"""The parts of a mapping file, each with its keys."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a mapping file. Editors use it to complete and check."""
    return MappingKeys.model_json_schema()
