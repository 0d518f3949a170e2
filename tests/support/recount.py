"""Counts the populations of a catalogue a second time, in pandas, to compare it with the compiled
SQL. Both have one author, so a misreading of what a key means may be in both.
"""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
from childlink_catalogue.catalogue import Catalogue
from childlink_catalogue.dimensions import Dimension, period_of
from childlink_catalogue.measures import Measure

NONE = "not_recorded"
ROLE = {"children": "child", "adults": "adult", "families": "family", "attendances": "child"}


def month_number(month):
    return int(month[:4]) * 12 + int(month[5:7]) if month else np.nan


class Recount:
    """Everything that partners sent, as a table of rows with their people."""

    def __init__(self, declared: Catalogue, sent: tuple[pd.DataFrame, Mapping], until):
        """`sent` are rows, with dataset, month, child, adult, family, and a column for each
        attribute; and the family of each person who has one.
        """
        rows, families = sent
        self.declared, self.dimensions = declared, declared.dimensions(until)
        self.rows = rows[rows.month <= f"{until:%Y-%m}"].copy()
        self.rows["at"] = self.rows.month.map(month_number)
        self.lists = declared.around.lists
        self.family_of = families
        self.done: dict[str, pd.DataFrame] = {}

    def people(self, who):
        """The rows, once for each person of a kind, with the person's id."""
        if who == "person":
            parts = [self.rows.assign(id=self.rows[role]) for role in ("child", "adult")]
            return pd.concat(parts).dropna(subset=["id"])
        return self.rows.assign(id=self.rows[who]).dropna(subset=["id"])

    def text(self, rows, attribute):
        name, _, looked_up = attribute.partition(".")
        values = (
            rows[name].map(as_text)
            if name in rows
            else pd.Series([None] * len(rows), rows.index, dtype=object)
        )
        if looked_up:
            table = {
                code: item[looked_up] or None
                for table in self.lists.values()
                for code, item in table.items()
                if looked_up in item
            }
            values = values.map(lambda v: table.get(v) if v is not None else None)
        return values

    def fits(self, rows, condition):
        kept = pd.Series(True, rows.index)
        for attribute, values in condition.items():
            kept &= self.text(rows, attribute).isin(values)
        return kept

    def characteristic(self, name, who):
        """The category of each person, by id."""
        item = self.declared.around.characteristics[name]
        if item.when:
            names = {n for case in item.when for n in (*case.all, *case.any)}
            table = pd.DataFrame({n: self.characteristic(n, who) for n in names}).fillna(NONE)
            ids = pd.Index(self.people(who).id.unique())
            table = table.reindex(ids).fillna(NONE)
            return table.apply(lambda row: of_cases(item, row), axis=1)
        rows = self.people(who)
        said = item.datasets or [
            d.name
            for d in self.declared.datasets.values()
            if any(f.name == item.attribute.split(".")[0] for f in d.fields)
        ]
        rows = rows[rows.dataset.isin(said)]
        rows = rows.assign(value=self.text(rows, item.attribute)).dropna(subset=["value"])
        latest = item.take == "latest"
        rows = rows.sort_values(
            ["month", "dataset", "value"], ascending=[not latest, True, True], kind="stable"
        )
        first = rows.groupby("id").value.first()
        return first.map(lambda v: category(v, item.values, item.cut, NONE))

    def population(self, name) -> pd.DataFrame:
        """One row for each counted person (or several), with a column for each variable."""
        if name not in self.done:
            self.done[name] = self._population(name)
        return self.done[name]

    def _population(self, name):
        keys = self.declared.populations[name].keys
        who = {**ROLE, "people": "person"}[keys.counts]
        rows = self.people(who)
        if keys.dataset:
            rows = rows[rows.dataset == keys.dataset]
        elif keys.known_in != ["*"]:
            rows = rows[rows.dataset.isin(keys.known_in)]
        rows = rows[self.fits(rows, keys.where)]
        if keys.pairs:
            base = self.pairs(keys, rows)
        elif keys.known_in:
            base = rows.drop_duplicates("id")
        elif keys.take == "each":
            base = rows
        else:
            rows = rows.assign(order=rows.attributes)
            last = keys.take == "last"
            ordered = rows.sort_values(["month", "order"], ascending=[not last, True])
            base = ordered.drop_duplicates("id")
        columns = pd.DataFrame({"id": base.id})
        for characteristic, item in self.declared.around.characteristics.items():
            if who in item.of:
                known = self.characteristic(characteristic, who)
                missing = (item.otherwise or NONE) if item.when else NONE
                columns[characteristic] = base.id.map(known).fillna(missing)
        cases = {}
        for variable, item in keys.variables.items():
            if item.when:
                cases[variable] = item
            else:
                columns[variable] = self.variable(variable, item, who, rows, base, keys)
        for variable, item in cases.items():
            columns[variable] = columns.apply(lambda row, item=item: of_cases(item, row), axis=1)
        return columns

    def variable(self, name, item, who, rows, base, keys):  # noqa: PLR0912 - one case a kind
        missing = item.otherwise or NONE
        cut = item.cut
        if item.steps:
            lows = list(self.dimensions[item.steps].midpoints)
            cut = (lambda v: band(v, [float(low) for low in lows[1:]], lows)) if lows else None
        else:
            cut = (lambda v, c=item.cut: band(v, c.at, c.into)) if item.cut else None
        if item.attribute:
            values = self.text(base, item.attribute)
            if cut:
                return values.map(lambda v: missing if v is None else cut(float(v)))
            return values.map(lambda v: category(v, item.values, None, missing))
        if item.exposure:
            return self.exposure(item.exposure, who, base)
        if item.period or item.first_in:
            dimension = self.dimensions[item.period or item.first_in]
            now = base.month.map(lambda m: in_period(dimension, m))
            if item.period:
                return now
            first = rows.groupby("id").month.min().map(lambda m: in_period(dimension, m))
            return np.where(now == base.id.map(first), "new", "returning")
        if item.sessions or item.different or item.rows_in or item.datasets:
            kept = rows[self.fits(rows, item.of_rows)]
            if item.sessions:
                numbers = kept.groupby("id").size()
            elif item.different:
                numbers = kept.assign(v=self.text(kept, item.different)).groupby("id").v.nunique()
            else:
                of_all = self.people(who)
                if item.rows_in:
                    numbers = of_all[of_all.dataset == item.rows_in].groupby("id").size()
                else:
                    numbers = of_all.groupby("id").dataset.nunique()
            return base.id.map(numbers).fillna(0).map(cut)
        if item.months or item.months_to is not None:
            begins = rows.groupby("id")["at"].min()
            kept = rows if item.months else rows[self.fits(rows, item.months_to)]
            ends = kept.groupby("id")["at"].agg("max" if item.months else "min")
            waited = base.id.map(ends) - base.id.map(begins)
            return waited.map(lambda n: missing if np.isnan(n) else cut(n))
        if item.first or item.following:
            begun = rows.assign(v=self.text(rows, item.first or item.following)).dropna(subset="v")
            begun = begun.groupby(["id", "v"]).month.min().reset_index()
            begun = begun.sort_values(["id", "month", "v"])
            begun["rank"] = begun.groupby("id").cumcount()
            place = begun[begun["rank"] == (0 if item.first else 1)].set_index("id").v
            return base.id.map(place).fillna(missing if item.first else "none")
        if item.completed:
            services = self.declared.services
            counted = rows.assign(v=self.text(rows, item.completed)).groupby(["id", "v"]).size()

            def completed(row):
                target = services[row.v].sessions
                if target is None:
                    return "no_target"
                return "yes" if counted[row.id, row.v] >= target else "no"

            return base.assign(v=self.text(base, item.completed)).apply(completed, axis=1)
        if item.change and item.round_to:
            low, high = item.limits
            return base.percent.map(
                lambda p: str(int(max(low, min(high, item.round_to * round(p / item.round_to)))))
            )
        if item.change:
            return base.percent.map(cut)
        if item.score and item.cut_off:
            return base[f"side {item.score} {item.cut_off}"]
        if item.score:
            return base[f"{item.score}_percent"].map(cut)
        return base[f"pair {item.pair}"].map(lambda v: category(v, item.values, None, missing))

    def exposure(self, name, who, base):
        item = self.declared.around.exposures[name]
        own = who == "family" or item.of == "person"
        facts = self.people(who) if own else self.rows
        facts = facts[facts.dataset == item.dataset]
        facts = facts[self.fits(facts, item.where)]
        if own:
            key, mine = facts.id, base.id
        else:
            people = zip(facts.child, facts.adult, strict=True)
            key = [list({self.family_of.get(p, p) for p in pair if p}) for pair in people]
            mine = base.id.map(lambda i: self.family_of.get(i, i))
        facts = facts.assign(key=key).explode("key")
        by_key = dict(list(facts.groupby("key")))
        out = []
        for who_key, at in zip(mine, base["at"], strict=True):
            before = by_key.get(who_key)
            if before is not None:
                before = before[before["at"] <= at - item.until]
                if item.since:
                    before = before[before["at"] >= at - item.since]
            if item.attribute:
                value = None
                if before is not None and len(before):
                    said = before.assign(v=self.text(before, item.attribute)).dropna(subset="v")
                    if len(said):
                        said = said.sort_values(["at", "v"], ascending=[False, True])
                        value = said.v.iloc[0]
                out.append(category(value, item.values, item.cut, NONE))
                continue
            if before is None:
                number = 0
            elif item.different:
                number = self.text(before, item.different).nunique()
            else:
                number = len(before)
            out.append(band(number, item.cut.at, item.cut.into))
        return pd.Series(out, base.index)

    def pairs(self, keys, rows):
        pairs, instruments = keys.pairs, self.declared.instruments
        asked = {item.pair for item in keys.variables.values() if item.pair}
        cut_offs = {(i.score, i.cut_off) for i in keys.variables.values() if i.cut_off}
        grouped = [*pairs.by]
        table = rows.assign(
            **{
                f"by {name}": self.text(rows, name)
                for name in {*grouped, *asked, pairs.each} - {None}
            },
            instrument_=self.text(rows, pairs.instrument),
            score_=pd.to_numeric(self.text(rows, pairs.score)),
            before_=self.fits(rows, pairs.before),
            after_=self.fits(rows, pairs.after),
        )
        found = []
        for (who, *_), group in table.groupby(["id", *(f"by {name}" for name in grouped)]):
            before = group[group.before_].sort_values(["month", "score_"])
            after = group[group.after_].sort_values(["month", "score_"])
            if not len(before) or not len(after):
                continue
            one = group.iloc[0]
            scale = instruments[one.instrument_]
            low, high = scale.range
            pre, post = before.score_.iloc[0], after.score_.iloc[-1]
            row = {
                "id": who,
                "month": group.month.max(),
                "percent": scale.improvement(pre, post),
                "before_percent": 100 * (pre - low) / (high - low),
                "after_percent": 100 * (post - low) / (high - low),
                **{f"pair {name}": the_one(group[f"by {name}"]) for name in asked},
                "each": one[f"by {pairs.each}"] if pairs.each else "",
            }
            for which, cut_off in cut_offs:
                at, score = scale.cut_offs.get(cut_off), pre if which == "before" else post
                worse = at is not None and (score >= at if scale.better == "lower" else score <= at)
                side = "no_cut_off" if at is None else "worse" if worse else "better"
                row[f"side {which} {cut_off}"] = side
            found.append(row)
        table = pd.DataFrame(found)
        if not len(table):
            return pd.DataFrame(columns=["id", "month", "percent"])
        how = {
            name: "mean" if name.endswith("percent") else "max" if name == "month" else the_one
            for name in table
            if name not in ("id", "each") and not name.startswith("side")
        }
        how |= {name: "min" for name in table if name.startswith("side")}
        return table.groupby(["id", "each"], as_index=False).agg(how)

    def cells(self, measure: Measure, cube: tuple[str, ...]) -> Mapping[tuple, int]:
        """Distinct people (or rows, of attendances) by category, without empty groups."""
        table = self.population(measure.view)
        for column, wanted in where_of(self.declared, measure).items():
            table = table[table[column].isin(wanted)]
        names = [measure.columns.get(name, name) for name in cube]
        if not len(table):
            return {}
        grouped = table.groupby(names) if names else [((), table)]
        events = measure.unit == "attendances"
        return {
            key if isinstance(key, tuple) else (key,): len(g) if events else g.id.nunique()
            for key, g in grouped
        }


def the_one(values):
    found = values.dropna().unique()
    return None if not len(found) else found[0] if len(found) == 1 else "several"


def where_of(declared, measure):
    return dict(declared.measure_keys[measure.id].where)


def as_text(value):
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def band(value, edges, into):
    return into[sum(value >= edge for edge in edges)]


def category(value, values, cut, missing):
    if value is None:
        return missing
    if cut:
        return band(float(value), cut.at, cut.into)
    return values.get(value, missing) if values else value


def of_cases(item, row):
    for case in item.when:
        every = all(row[name] in values for name, values in case.all.items())
        some = not case.any or any(row[name] in values for name, values in case.any.items())
        if every and some:
            return case.value
    return item.otherwise or NONE


def in_period(dimension: Dimension, month: str) -> str:
    return "earlier" if month < dimension.first_month else period_of(dimension.period, month)


def table_of(observations, links):
    """The rows of a store as a table: people by their identifiers, attributes as columns. Also the
    family of each person.
    """
    people = {(x["partner"], x["reference"]): x for x in links.to_pylist()}
    rows = []
    for item in observations.to_pylist():
        child, adult = (
            people.get((item["partner"], item[f"{role}_reference"])) for role in ("child", "adult")
        )
        if child is None and adult is None:
            continue
        family = next((p["family"] for p in (child, adult) if p and p["family"]), None)
        rows.append(
            {
                **json.loads(item["attributes"]),
                "attributes": item["attributes"],
                "dataset": item["dataset"],
                "month": item["month"],
                "child": child["person"] if child else None,
                "adult": adult["person"] if adult else None,
                "family": family,
            }
        )
    # Objects, so that whole numbers stay whole where some are missing.
    table = pd.DataFrame(rows, dtype=object).where(lambda frame: frame.notna(), None)
    return table, {x["person"]: x["family"] for x in links.to_pylist() if x["family"]}
