"""Compiles the populations of a catalogue to DuckDB: one table each, with a row for each person (or
several, if categories overlap) and a column for each variable. Rule: declarations in, SQL out.

The SQL reads what `FACTS` makes, and a table of characteristics for each kind of person. No result
depends on the order in which rows arrived.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from childlink_catalogue.dimensions import EARLIER, NOT_RECORDED, Dimension
from childlink_catalogue.instruments import Instrument
from childlink_catalogue.language import (
    BandsKeys,
    CaseKeys,
    CharacteristicKeys,
    Condition,
    ExposureKeys,
    PairsKeys,
    VariableKeys,
    Who,
)
from childlink_catalogue.populations import Population, Surroundings

FACTS: Final = """
-- Observations whose references are linked, with the persons and families they are about. `number`
-- is that of the month.
CREATE TABLE fact AS
SELECT o.partner, o.dataset, o.month, o.attributes,
       TRY_CAST(o.month[1:4] AS INTEGER) * 12 + TRY_CAST(o.month[6:7] AS INTEGER) AS number,
       c.person AS child, a.person AS adult, coalesce(c.family, a.family) AS family
FROM observation o
LEFT JOIN link c ON c.partner = o.partner AND c.reference = o.child_reference
LEFT JOIN link a ON a.partner = o.partner AND a.reference = o.adult_reference
WHERE (c.person IS NOT NULL OR a.person IS NOT NULL) AND o.month <= (SELECT last_month FROM cut);

-- The family of each person who has one.
CREATE TABLE member AS
SELECT person, min(family) AS family FROM link WHERE family IS NOT NULL GROUP BY person;

-- Each observation once for each family that it is about, or for each person without a family. So
-- what a child did without anyone of its family is there too.
CREATE VIEW of_kin AS
SELECT fact.*, unnest(list_distinct([coalesce(c.family, child), coalesce(a.family, adult)])) AS key
FROM fact LEFT JOIN member c ON c.person = child LEFT JOIN member a ON a.person = adult;

-- Each observation once for each person, child or adult, that it is about.
CREATE VIEW about AS
SELECT *, child AS person FROM fact WHERE child IS NOT NULL
UNION ALL SELECT *, adult FROM fact WHERE adult IS NOT NULL;

-- The people that each partner knows from its own rows.
CREATE TABLE known AS
SELECT DISTINCT partner, dataset, unnest([child, adult, family]) AS id FROM fact;
"""
_KINDS: Final[tuple[Who, ...]] = ("child", "adult", "family", "person")
_FIRST_MONTH: Final = {"financial_year": 4, "school_year": 9}


def compile_characteristics(around: Surroundings) -> Iterator[str]:
    """A table of characteristics for each kind of person. The latest (or earliest) observation with
    a value counts. In the same month, the dataset whose name comes first counts, then the value
    that comes first. See docs/explanation/demographics.md.
    """
    for who in _KINDS:
        items = {name: item for name, item in around.characteristics.items() if who in item.of}
        plain = {name: item for name, item in items.items() if item.attribute}
        # Each observation is read once: the values of all attributes, as a list.
        paths = list(dict.fromkeys(_field(item.attribute) for item in plain.values()))
        columns = "".join(
            f", {_in_order(item, f'v[{paths.index(_field(item.attribute)) + 1}]', around)}"
            f" AS {_name(name)}"
            for name, item in plain.items()
        )
        listed = _listed(f"$.{path}" for path in paths)
        said = (
            f"SELECT {who} AS id, month, dataset, json_extract_string(attributes, [{listed}]) AS v"  # noqa: S608
            f" FROM {_facts(who)} WHERE {who} IS NOT NULL"
        )
        raw = (
            f"SELECT id{columns} FROM ({said}) GROUP BY id"  # noqa: S608
            if plain
            else "SELECT NULL::BLOB AS id WHERE FALSE"
        )
        known = _Columns(
            {
                name: _category(f"raw.{_name(name)}", item.values, item.cut, NOT_RECORDED)
                for name, item in plain.items()
            },
            {name: item for name, item in items.items() if item.when},
        )
        shown = "".join(f", {known[name]} AS {_name(name)}" for name in items)
        yield f"CREATE TABLE of_{who} AS SELECT id{shown} FROM ({raw}) raw"  # noqa: S608


def compile_population(
    population: Population,
    dimensions: Mapping[str, Dimension],
    instruments: Mapping[str, Instrument],
    needed: Collection[str],
) -> Iterator[str]:
    """The statements that make a population's table, with the variables that are needed."""
    keys, around, who = population.keys, population.around, population.who
    rows, base = _name(f"{keys.id}_rows"), _name(f"{keys.id}_base")
    conditions = [
        f"{who} IS NOT NULL",
        f"dataset IN ({_listed(population.datasets)})",
        *_holds(keys.where, around),
    ]
    yield (
        f"CREATE TABLE {rows} AS SELECT {who} AS id, month, number, dataset, attributes FROM"  # noqa: S608
        f" {_facts(who)}"
        f" WHERE {' AND '.join(conditions)}"
    )
    if keys.pairs:
        yield f"CREATE TABLE {base} AS {_pairs(population, keys.pairs, rows, instruments)}"
    elif keys.known_in:
        yield f"CREATE TABLE {base} AS SELECT DISTINCT id FROM {rows}"  # noqa: S608
    elif keys.take == "each":
        yield f"CREATE VIEW {base} AS SELECT * FROM {rows}"  # noqa: S608
    else:
        latest = " DESC" if keys.take == "last" else ""
        yield (
            f"CREATE TABLE {base} AS SELECT * FROM {rows} QUALIFY row_number() OVER (PARTITION BY"  # noqa: S608
            f" id ORDER BY month{latest}, attributes) = 1"
        )
    joins = [f"LEFT JOIN of_{who} person ON person.id = base.id"]
    plain: dict[str, str] = {
        name: f"coalesce(person.{_name(name)}, {_quoted(_if_nothing(item))})"
        for name, item in population.characteristics.items()
    }
    used = _used(population, needed)
    befores = _befores(population, base, used)
    for table, statement, _ in befores:
        yield f"CREATE TABLE {table} AS {statement}"
        joins.append(f"LEFT JOIN {table} ON {table}.id = base.id AND {table}.number = base.number")
    before = {name: table for table, _, names in befores for name in names}
    for name, item in keys.variables.items():
        if item.when or name not in used:
            continue
        if item.exposure:
            exposure = around.exposures[item.exposure]
            plain[name] = _sorted_exposure(exposure, f"{before[name]}.{_name(name)}")
            continue
        expression, join = _variable(name, item, population, dimensions, rows, base)
        plain[name] = expression
        joins += [join] if join else []
    known = _Columns(plain, {n: item for n, item in keys.variables.items() if item.when})
    names = [
        n for n in dict.fromkeys([*population.characteristics, *keys.variables]) if n in needed
    ]
    shown = ", ".join(
        f"coalesce({known[name]}, {_quoted(NOT_RECORDED)}) AS {_name(name)}" for name in names
    )
    distinct = "" if population.counts == "attendances" else "DISTINCT "
    yield (
        f"CREATE TABLE {_name(keys.id)} AS SELECT {distinct}base.id{', ' if shown else ''}{shown}"  # noqa: S608
        f" FROM {base} base {' '.join(joins)}"
    )
    yield f"DROP {'VIEW' if keys.take == 'each' and not keys.pairs and not keys.known_in else 'TABLE'} {base}"  # noqa: E501
    yield f"DROP TABLE {rows}"
    for table, *_ in befores:
        yield f"DROP TABLE {table}"


def _used(population: Population, needed: Collection[str]) -> set[str]:
    """The variables that are needed, and those that their cases name."""
    used: set[str] = set()
    waiting = list(needed)
    while waiting:
        name = waiting.pop()
        if name in used:
            continue
        used.add(name)
        item = population.keys.variables.get(name)
        for case in (item.when if item else None) or []:
            waiting += [*case.all, *case.any]
    return used


class _Columns:
    """Expressions of variables by name. Cases are put together from the others."""

    def __init__(
        self,
        plain: Mapping[str, str],
        cases: Mapping[str, VariableKeys | CharacteristicKeys],
    ) -> None:
        self._plain, self._cases = plain, cases

    def __getitem__(self, name: str) -> str:
        if name not in self._cases:
            return self._plain[name]
        item = self._cases[name]
        said = " ".join(
            f"WHEN {self._holds(case)} THEN {_quoted(case.value)}" for case in item.when or []
        )
        return f"CASE {said} ELSE {_quoted(item.otherwise or NOT_RECORDED)} END"

    def _holds(self, case: CaseKeys) -> str:
        every = [self._is(name, values) for name, values in case.all.items()]
        some = [self._is(name, values) for name, values in case.any.items()]
        parts = [*every, *([f"({' OR '.join(some)})"] if some else [])]
        return " AND ".join(parts) or "TRUE"

    def _is(self, name: str, values: Iterable[str]) -> str:
        return f"coalesce({self[name]}, {_quoted(NOT_RECORDED)}) IN ({_listed(values)})"


def _variable(
    name: str,
    item: VariableKeys,
    population: Population,
    dimensions: Mapping[str, Dimension],
    rows: str,
    base: str,
) -> tuple[str, str]:
    """The expression of a variable, and the join that it needs."""
    around, missing = population.around, item.otherwise or NOT_RECORDED
    of = _name(f"of {name}")
    if item.steps:
        lows = list(dimensions[item.steps].midpoints or {})
        item = item.model_copy(
            update={"cut": BandsKeys(at=[float(low) for low in lows[1:]], into=lows)}
        )
    match item.kind:
        case "attribute":
            text = _text(str(item.attribute), around, "base.attributes")
            return _category(text, item.values, item.cut, missing), ""
        case "period":
            return _period(dimensions[str(item.period)], "base.month"), ""
        case "first_in":
            dimension = dimensions[str(item.first_in)]
            now, then = _period(dimension, "base.month"), _period(dimension, f"{of}.month")
            first = f"SELECT id, min(month) AS month FROM {rows} GROUP BY id"  # noqa: S608
            return (
                f"CASE WHEN {now} = {then} THEN 'new' ELSE 'returning' END",
                f"LEFT JOIN ({first}) {of} ON {of}.id = base.id",
            )
        case "sessions" | "different" | "rows_in" | "datasets":
            each = _numbers(item, population, rows)
            return (
                _banded(f"coalesce({of}.n, 0)", item.cut, missing) if item.cut else f"{of}.n",
                f"LEFT JOIN ({each}) {of} ON {of}.id = base.id",
            )
        case "months" | "months_to":
            last, until = "max(number)", ""
            if item.months_to is not None:
                kept = " AND ".join(_holds(item.months_to, around)) or "TRUE"
                last, until = "min(number)", f" FILTER ({kept})"
            each = f"SELECT id, {last}{until} - min(number) AS n FROM {rows} GROUP BY id"  # noqa: S608
            return (
                _banded(f"{of}.n", item.cut, missing) if item.cut else f"{of}.n",
                f"LEFT JOIN ({each}) {of} ON {of}.id = base.id",
            )
        case "first" | "following":
            text = _text(str(item.first or item.following), around)
            place = 1 if item.kind == "first" else 2
            # Of several that began in one month, the one whose name comes first counts.
            ranked = (
                f"SELECT id, value FROM (SELECT id, {text} AS value, min(month) AS month FROM"  # noqa: S608
                f" {rows} GROUP BY ALL HAVING value IS NOT NULL) QUALIFY row_number() OVER"
                f" (PARTITION BY id ORDER BY month, value) = {place}"
            )
            if_none = "none" if item.kind == "following" else missing
            return (
                _category(f"coalesce({of}.value, {_quoted(if_none)})", item.values, None, missing),
                f"LEFT JOIN ({ranked}) {of} ON {of}.id = base.id",
            )
        case "completed":
            return _completed(str(item.completed), population, of, rows)
        case _:
            return _of_pair(name, item, missing), ""


def _of_pair(name: str, item: VariableKeys, missing: str) -> str:
    """The expression of a variable of two questionnaires."""
    if item.pair:
        return _category(f"base.{_name(f'pair {name}')}", item.values, None, missing)
    if item.cut_off:
        return f"base.{_name(f'side {name}')}"
    number = "base.percent" if item.change else f"base.{item.score}_percent"
    if item.cut:
        return _banded(number, item.cut, missing)
    width, (low, high) = item.round_to or 1, item.limits or (0, 0)
    rounded = f"{width} * round_even({number} / {width}, 0)"
    return f"greatest({low}, least({high}, {rounded}))::INTEGER::VARCHAR"


def _numbers(item: VariableKeys, population: Population, rows: str) -> str:
    """A number of each person: of rows, of different values, or of datasets."""
    if item.kind in ("sessions", "different"):
        conditions = " AND ".join(_holds(item.of_rows, population.around)) or "TRUE"
        what = "*"
        if item.different:
            what = f"DISTINCT {_text(item.different, population.around)}"
        return f"SELECT id, count({what}) AS n FROM {rows} WHERE {conditions} GROUP BY id"  # noqa: S608
    who = population.who
    if item.kind == "rows_in":
        return (
            f"SELECT {who} AS id, count(*) AS n FROM {_facts(who)} WHERE {who} IS NOT NULL AND"  # noqa: S608
            f" dataset = {_quoted(str(item.rows_in))} GROUP BY 1"
        )
    return (
        f"SELECT {who} AS id, count(DISTINCT dataset) AS n FROM {_facts(who)}"  # noqa: S608
        f" WHERE {who} IS NOT NULL GROUP BY 1"
    )


def _completed(attribute: str, population: Population, of: str, rows: str) -> tuple[str, str]:
    """Whether a person has as many rows of the row's service as the service has sessions."""
    around = population.around
    text = _text(attribute, around)
    each = f"SELECT id, {text} AS value, count(*) AS n FROM {rows} GROUP BY ALL"  # noqa: S608
    target = f"TRY_CAST({_text(f'{attribute}.sessions', around, 'base.attributes')} AS INTEGER)"
    return (
        f"CASE WHEN {target} IS NULL THEN 'no_target' WHEN {of}.n >= {target} THEN 'yes'"
        " ELSE 'no' END",
        f"LEFT JOIN ({each}) {of} ON {of}.id = base.id AND {of}.value ="
        f" {_text(attribute, around, 'base.attributes')}",
    )


def _befores(
    population: Population, base: str, used: Collection[str]
) -> list[tuple[str, str, list[str]]]:
    """What came before each person's row: for each dataset, and for the person or the family, a
    table with a column for each exposure. Each is (table, query, names).
    """
    groups: dict[tuple[str, str], dict[str, ExposureKeys]] = {}
    for name, variable in population.keys.variables.items():
        if variable.exposure and name in used:
            item = population.around.exposures[variable.exposure]
            whose = "person" if population.who == "family" else item.of
            groups.setdefault((item.dataset, whose), {})[name] = item
    return [
        (
            _name(f"{population.id}_before_{number}"),
            _before(population, base, dataset, whose, items),
            list(items),
        )
        for number, ((dataset, whose), items) in enumerate(groups.items())
    ]


def _before(
    population: Population, base: str, dataset: str, whose: str, items: Mapping[str, ExposureKeys]
) -> str:
    around, who, own = population.around, population.who, whose == "person"
    asked = [a for i in items.values() for a in (i.attribute, i.different, *i.where) if a]
    fields = list(dict.fromkeys(map(_field, asked)))
    paths = _listed(f"$.{name}" for name in fields)
    values = f"json_extract_string(attributes, [{paths}])" if fields else "NULL::VARCHAR[]"

    def text(attribute: str) -> str:
        return _looked_up(f"fact.v[{fields.index(_field(attribute)) + 1}]", attribute, around)

    columns = []
    for name, item in items.items():
        conditions = [f"fact.number <= event.number - {item.until}"]
        conditions += [f"fact.number >= event.number - {item.since}"] if item.since else []
        conditions += [f"{text(a)} IN ({_listed(values)})" for a, values in item.where.items()]
        found = "count(*)"
        if item.different:
            found = f"count(DISTINCT {text(item.different)})"
        if item.attribute:
            value = text(item.attribute)
            found = f"first({value} ORDER BY fact.number DESC, {value})"
            conditions.append(f"{value} IS NOT NULL")
        columns.append(f"{found} FILTER ({' AND '.join(conditions)}) AS {_name(name)}")
    source = f"{who} AS key, number, {values} AS v FROM {_facts(who)}"
    if not own:
        source = f"key, number, {values} AS v FROM of_kin"
    facts = f"SELECT {source} WHERE dataset = {_quoted(dataset)}"
    member = "" if own else " LEFT JOIN member ON member.person = event.id"
    event_key = "event.id" if own else "coalesce(member.family, event.id)"
    return (
        f"SELECT event.id, event.number, {', '.join(columns)}"  # noqa: S608
        f" FROM (SELECT DISTINCT id, number FROM {base}) event{member}"
        f" JOIN ({facts}) fact ON fact.key = {event_key} AND fact.number < event.number"
        " GROUP BY event.id, event.number"
    )


def _sorted_exposure(item: ExposureKeys, value: str) -> str:
    """The category of what came before."""
    if item.attribute:
        return _category(value, item.values, item.cut, NOT_RECORDED)
    return _banded(f"coalesce({value}, 0)", item.cut, NOT_RECORDED) if item.cut else value


def _pairs(
    population: Population,
    pairs: PairsKeys,
    rows: str,
    instruments: Mapping[str, Instrument],
) -> str:
    """One row for each person (and value of `each`) with both questionnaires. The change is the
    mean over the pairs, as a percentage of the scale's range, in the good direction.
    """
    around = population.around
    score = f"TRY_CAST({_text(pairs.score, around)} AS DOUBLE)"
    before = " AND ".join(_holds(pairs.before, around))
    after = " AND ".join(_holds(pairs.after, around))
    asked = {name: v.pair for name, v in population.keys.variables.items() if v.pair}
    group = dict.fromkeys([*pairs.by, pairs.instrument, *([pairs.each] if pairs.each else [])])
    said = [str(value) for value in asked.values()]
    named = {
        attribute: _name(f"key {number}")
        for number, attribute in enumerate(dict.fromkeys([*group, *said]))
    }
    # Both rows of a pair may differ in what is no key: then it is `several`, and still a pair.
    keys = ", ".join(
        f"{_text(attribute, around) if attribute in group else _one_of(_text(attribute, around))}"
        f" AS {name}"
        for attribute, name in named.items()
    )
    scales = " ".join(
        f"WHEN {_quoted(code)} THEN"
        f" {(1 if item.better == 'higher' else -1) * (item.range[1] - item.range[0])!r}"
        for code, item in instruments.items()
    )
    scale = f"CASE {named[pairs.instrument]} {scales} END" if scales else "NULL"
    shown = "".join(
        f", {_one_of(named[str(value)])} AS {_name(f'pair {name}')}"
        for name, value in asked.items()
    )
    shown += "".join(
        f", min({_side(item, named[pairs.instrument], instruments)}) AS {_name(f'side {name}')}"
        for name, item in population.keys.variables.items()
        if item.cut_off
    )
    low, span = (
        f"CASE {named[pairs.instrument]} "
        + " ".join(f"WHEN {_quoted(c)} THEN {value!r}" for c, value in values.items())
        + " END"
        for values in (
            {code: item.range[0] for code, item in instruments.items()},
            {code: item.range[1] - item.range[0] for code, item in instruments.items()},
        )
    )
    each = f", {named[pairs.each]}" if pairs.each else ""
    return (
        "SELECT id, max(month) AS month, max(number) AS number,"  # noqa: S608
        f" avg(100 * (post - pre) / {scale}) AS percent,"
        f" avg(100 * (pre - {low}) / {span}) AS before_percent,"
        f" avg(100 * (post - {low}) / {span}) AS after_percent{shown}"
        f" FROM (SELECT id, {keys}, max(month) AS month, max(number) AS number,"
        f" first({score} ORDER BY month, {score}) FILTER ({before}) AS pre,"
        f" last({score} ORDER BY month, {score}) FILTER ({after}) AS post"
        f" FROM {rows} GROUP BY id, {', '.join(named[attribute] for attribute in group)})"
        f" WHERE pre IS NOT NULL AND post IS NOT NULL GROUP BY id{each}"
    )


def _one_of(value: str) -> str:
    """The one value of a group, `several` if there are several, and nothing if there is none."""
    return f"CASE WHEN count(DISTINCT {value}) > 1 THEN 'several' ELSE min({value}) END"


def _side(item: VariableKeys, instrument: str, instruments: Mapping[str, Instrument]) -> str:
    """The side of a cut-off on which a score is."""
    score = "pre" if item.score == "before" else "post"
    cases = []
    for code, scale in instruments.items():
        at = scale.cut_offs.get(str(item.cut_off))
        if at is not None:
            worse = f"{score} >= {at!r}" if scale.better == "lower" else f"{score} <= {at!r}"
            cases.append(
                f"WHEN {_quoted(code)} THEN CASE WHEN {worse} THEN 'worse' ELSE 'better' END"
            )
    return f"CASE {instrument} {' '.join(cases)} ELSE 'no_cut_off' END"


def _period(dimension: Dimension, month: str) -> str:
    year, number = f"{month}[1:4]::INTEGER", f"{month}[6:7]::INTEGER"
    if dimension.period == "quarter":
        shown = f"{month}[1:4] || '-Q' || (({number} + 2) // 3)::VARCHAR"
    elif dimension.period == "calendar_year":
        shown = f"{month}[1:4]"
    else:
        begins = f"({year} - ({number} < {_FIRST_MONTH[str(dimension.period)]})::INTEGER)"
        shown = f"printf('%d/%02d', {begins}, ({begins} + 1) % 100)"
    return (
        f"CASE WHEN {month} < {_quoted(dimension.first_month)} THEN {_quoted(EARLIER)}"
        f" ELSE {shown} END"
    )


def _holds(condition: Condition, around: Surroundings, column: str = "attributes") -> list[str]:
    return [
        f"{_text(name, around, column)} IN ({_listed(values)})"
        for name, values in condition.items()
    ]


def _text(attribute: str, around: Surroundings, column: str = "attributes") -> str:
    """The text of an attribute, or of a property that is looked up by it (`service.kind`)."""
    return _looked_up(f"json_extract_string({column}, '$.{_field(attribute)}')", attribute, around)


def _looked_up(text: str, attribute: str, around: Surroundings) -> str:
    looked_up = attribute.partition(".")[2]
    if not looked_up:
        return text
    codes = {
        code: item[looked_up]
        for table in around.lists.values()
        for code, item in table.items()
        if item.get(looked_up)
    }
    cases = " ".join(f"WHEN {_quoted(code)} THEN {_quoted(to)}" for code, to in codes.items())
    return f"CASE {text} {cases} END" if cases else "NULL::VARCHAR"


def _category(
    text: str, values: Mapping[str, str] | None, cut: BandsKeys | None, missing: str
) -> str:
    if cut:
        return _banded(f"TRY_CAST({text} AS DOUBLE)", cut, missing)
    if values:
        cases = " ".join(
            f"WHEN {_quoted(value)} THEN {_quoted(category)}" for value, category in values.items()
        )
        return f"CASE {text} {cases} ELSE {_quoted(missing)} END"
    return f"coalesce({text}, {_quoted(missing)})"


def _banded(number: str, cut: BandsKeys, missing: str) -> str:
    cases = " ".join(
        f"WHEN {number} < {edge!r} THEN {_quoted(band)}"
        for edge, band in zip(cut.at, cut.into, strict=False)
    )
    return (
        f"CASE WHEN {number} IS NULL THEN {_quoted(missing)} {cases} ELSE {_quoted(cut.into[-1])}"
        " END"
    )


def _in_order(item: CharacteristicKeys, value: str, around: Surroundings) -> str:
    """The value that counts if observations differ."""
    latest = " DESC" if item.take == "latest" else ""
    value = _looked_up(value, str(item.attribute), around)
    said = f" AND dataset IN ({_listed(item.datasets)})" if item.datasets else ""
    order = f"month{latest}, dataset, {value}"
    return f"first({value} ORDER BY {order}) FILTER ({value} IS NOT NULL{said})"


def _field(attribute: str | None) -> str:
    return str(attribute).partition(".")[0]


def _if_nothing(item: CharacteristicKeys) -> str:
    """The category of a person of whom no characteristic at all is recorded."""
    return (item.otherwise or NOT_RECORDED) if item.when else NOT_RECORDED


def _facts(who: Who) -> str:
    """The table of observations that has a column for this kind of person."""
    return "about" if who == "person" else "fact"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(_quoted(value) for value in values) or "NULL"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
