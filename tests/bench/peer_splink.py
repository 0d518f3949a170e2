"""Splink on plain text. Runs in the peers' own environment: `python peer_splink.py people.csv
groups.csv`.

The model is what a user who knows Splink would write: term frequencies of names, levels for parts
of names and postcodes, the mother if both records name one, u by random sampling, m by
expectation-maximisation (no truth). Partners hold each person once, and Splink is told so
(`link_only`); childlink is not told. Writes each record's group under several ways of clustering.
"""

import csv
import logging
import sys
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

COMPONENTS, BEST_LINKS = "components", "best-links"
THRESHOLDS = (0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
# With fewer records than this, values say nothing about how often the values of matches agree.
_FEWEST_VALUES = 200


def exact(column: str, **options: Any) -> dict[str, Any]:
    return {"sql_condition": f"{column}_l = {column}_r", **options}


def when(condition: str) -> dict[str, Any]:
    """A level. `@x` stands for the two sides of x, as arguments of a function."""
    return {"sql_condition": condition}


def comparison(name: str, null: str, *levels: dict[str, Any]) -> dict[str, Any]:
    missing = {"sql_condition": null, "is_null_level": True}
    return {
        "output_column_name": name,
        "comparison_levels": [missing, *levels, {"sql_condition": "ELSE"}],
    }


def either_missing(column: str) -> str:
    return f"{column}_l IS NULL OR {column}_r IS NULL"


def comparisons() -> dict[str, dict[str, Any]]:
    swapped = (
        "substr(dob_l,1,4) = substr(dob_r,1,4) AND substr(dob_l,6,2) = substr(dob_r,9,2) AND"
        " substr(dob_l,9,2) = substr(dob_r,6,2)"
    )
    both_mothers_numbers = "mother_nhs_l IS NOT NULL AND mother_nhs_r IS NOT NULL"
    both_mothers_dates = "mother_dob_l IS NOT NULL AND mother_dob_r IS NOT NULL"
    return {
        "nhs": comparison(
            "nhs",
            either_missing("nhs"),
            exact("nhs"),
            when("damerau_levenshtein(nhs_l, nhs_r) <= 1"),
        ),
        "given": comparison(
            "given",
            either_missing("given"),
            exact("given", tf_adjustment_column="given"),
            exact("given_first", tf_adjustment_column="given_first"),
            when("len(list_intersect(string_split(given_l, ' '), string_split(given_r, ' '))) > 0"),
            when("jaro_winkler_similarity(given_first_l, given_first_r) >= 0.92"),
            when(
                "jaro_winkler_similarity(given_first_l, given_first_r) >= 0.85 OR given_soundex_l ="
                " given_soundex_r"
            ),
            when("given_l = surname_r"),
            when("jaro_winkler_similarity(given_first_l, given_first_r) >= 0.7"),
        ),
        "surname": comparison(
            "surname",
            either_missing("surname"),
            exact("surname", tf_adjustment_column="surname"),
            when(
                "len(list_intersect(string_split(surname_l, ' '), string_split(surname_r, '"
                " '))) > 0"
            ),
            when("jaro_winkler_similarity(surname_l, surname_r) >= 0.92"),
            when(
                "jaro_winkler_similarity(surname_l, surname_r) >= 0.85 OR surname_soundex_l ="
                " surname_soundex_r"
            ),
            when("surname_l = given_r"),
            when("jaro_winkler_similarity(surname_l, surname_r) >= 0.7"),
        ),
        "dob": comparison(
            "dob",
            either_missing("dob"),
            exact("dob"),
            when(swapped),
            when("damerau_levenshtein(dob_l, dob_r) <= 1"),
            when("substr(dob_l,6,5) = substr(dob_r,6,5) OR substr(dob_l,1,7) = substr(dob_r,1,7)"),
            when("damerau_levenshtein(dob_l, dob_r) <= 2"),
        ),
        "sex": comparison("sex", either_missing("sex"), exact("sex")),
        "postcode": comparison(
            "postcode",
            either_missing("postcode"),
            exact("postcode"),
            when("damerau_levenshtein(postcode_l, postcode_r) <= 1"),
            when(
                "substr(postcode_l,1,length(postcode_l)-2) ="
                " substr(postcode_r,1,length(postcode_r)-2)"
            ),
            exact("district"),
        ),
        "mother_dob": comparison(
            "mother",
            f"NOT (({both_mothers_numbers}) OR ({both_mothers_dates}))",
            exact("mother_nhs"),
            when(
                "mother_dob_l = mother_dob_r AND jaro_winkler_similarity(mother_given_l,"
                " mother_given_r) >= 0.85"
            ),
            when(
                "mother_dob_l = mother_dob_r OR (jaro_winkler_similarity(mother_given_l,"
                " mother_given_r) >= 0.92 AND damerau_levenshtein(mother_dob_l, mother_dob_r) <= 1)"
            ),
        ),
    }


PREDICT = {
    ("nhs",): "nhs",
    ("dob",): "dob",
    ("surname", "district"): "surname",
    ("given_soundex", "surname_soundex"): "given",
    ("given", "postcode"): "postcode",
    ("mother_nhs", "given"): "mother_nhs",
    ("mother_dob", "mother_given"): "mother_dob",
    ("surname", "given_first"): "surname",
}
"""Blocking rules of the predictions, each with the column that it needs."""


def link(people: str) -> dict[str, dict[str, str]]:
    """Groups of records, by way of clustering."""
    con = duckdb.connect()
    con.execute("SET threads = 1")
    con.execute(
        "CREATE TABLE people AS SELECT * FROM read_csv(?, header=true, all_varchar=true,"
        " nullstr='')",
        [people],
    )
    columns = [name for name, *_ in con.execute("DESCRIBE people").fetchall()]
    filled = {
        name: con.execute(f"SELECT count({name}) FROM people").fetchall()[0][0] for name in columns
    }
    usable = {name for name in columns if filled[name] >= _FEWEST_VALUES}
    api = DuckDBAPI(connection=con)
    partners = [
        name for (name,) in con.execute("SELECT DISTINCT partner FROM people ORDER BY 1").fetchall()
    ]
    tables = []
    for number, partner in enumerate(partners):
        con.execute(
            f"CREATE TABLE partner_{number} AS SELECT * FROM people WHERE partner = ?", [partner]
        )
        tables.append(api.register(f"partner_{number}", dataset_display_name=f"p{number}"))
    # One list with duplicates is deduplicated. There are no best links in it.
    kind = "link_only" if len(tables) > 1 else "dedupe_only"
    used = {name: item for name, item in comparisons().items() if name in usable}
    settings = SettingsCreator(
        link_type=kind,
        comparisons=list(used.values()),
        blocking_rules_to_generate_predictions=[
            block_on(*rule) for rule, needs in PREDICT.items() if needs in usable
        ],
    )
    linker = Linker(tables, settings, log_level=logging.ERROR)
    train(linker, usable)
    predictions = linker.inference.predict(threshold_match_probability=min(THRESHOLDS))
    groups = {}
    for threshold in THRESHOLDS:
        components = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predictions, threshold
        )
        groups[f"{COMPONENTS} at {threshold}"] = groups_of(components)
        if kind == "dedupe_only":
            groups[f"{BEST_LINKS} at {threshold}"] = groups[f"{COMPONENTS} at {threshold}"]
            continue
        best = linker.clustering.cluster_using_single_best_links(
            predictions, [f"p{number}" for number in range(len(partners))], threshold
        )
        groups[f"{BEST_LINKS} at {threshold}"] = groups_of(best)
    return groups


def train(linker: Linker, usable: set[str]) -> None:
    """Estimate everything, without truth."""
    training = linker.training
    rules = [block_on("given", "surname", "dob")] + ([block_on("nhs")] if "nhs" in usable else [])
    training.estimate_probability_two_random_records_match(rules, recall=0.8)
    training.estimate_u_using_random_sampling(max_pairs=1e7, seed=1)
    blocks = [("dob",), ("given", "surname")] + ([("nhs",)] if "nhs" in usable else [])
    for block in blocks:
        training.estimate_parameters_using_expectation_maximisation(block_on(*block))


def groups_of(frame: Any) -> dict[str, str]:
    return {row["unique_id"]: str(row["cluster_id"]) for row in frame.as_record_list()}


def main() -> None:
    groups = link(sys.argv[1])
    with open(sys.argv[2], "w", newline="") as file:  # noqa: PTH123
        writer = csv.writer(file)
        writer.writerow(["way", "unique_id", "group"])
        writer.writerows(
            (way, record, group)
            for way, of_way in groups.items()
            for record, group in of_way.items()
        )


if __name__ == "__main__":
    main()
