"""Compatibility mode sets exactly the bits that clkhash sets, for any schema and any values."""

import base64
import json
from datetime import date

import pytest
from childlink_ingest.pseudonymise.clk import ClkEncoder, EntryError, SchemaError, parse_schema
from clkhash import clk
from clkhash.schema import from_json_dict
from hypothesis import given, settings
from hypothesis import strategies as st

hash_types = st.sampled_from(
    [
        {"type": "blakeHash"},
        {"type": "doubleHash"},
        {"type": "doubleHash", "prevent_singularity": True},
    ]
)
spread = st.one_of(
    st.integers(1, 70).map(lambda k: {"bitsPerToken": k}),
    st.integers(1, 400).map(lambda k: {"bitsPerFeature": k}),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12).map(
    lambda t: t.replace("\0", "")
)


@st.composite
def fields(draw):
    kind = draw(st.sampled_from(["string", "integer", "date", "enum", "numeric"]))
    hashing = {"hash": draw(hash_types), "strategy": draw(spread)}
    grams = {"type": "ngram", "n": draw(st.integers(1, 3)), "positional": draw(st.booleans())}
    hashing["comparison"] = draw(st.sampled_from([grams, {"type": "exact"}]))
    if draw(st.booleans()):
        hashing["missingValue"] = {
            "sentinel": "",
            "replaceWith": draw(st.sampled_from(["", "none"])),
        }
        if kind in ("integer", "numeric", "date", "enum"):
            hashing["missingValue"]["replaceWith"] = ""
    match kind:
        case "string":
            form, values = {"type": "string", "encoding": "utf-8"}, TEXT
        case "integer":
            form, values = {"type": "integer"}, st.integers(0, 10**6).map(str)
        case "date":
            form = {"type": "date", "format": "%d/%m/%Y"}
            values = st.dates(min_value=date(1900, 1, 1)).map(lambda d: f"{d:%d/%m/%Y}")
        case "enum":
            form, values = {"type": "enum", "values": ["f", "m"]}, st.sampled_from(["f", "m"])
        case _:
            form, values = (
                {"type": "string", "encoding": "utf-8", "pattern": "[0-9.]*"},
                st.floats(0, 10**5).map(lambda x: f"{x:.3f}"),
            )
            hashing["comparison"] = {
                "type": "numeric",
                "thresholdDistance": draw(st.integers(1, 50)),
                "resolution": draw(st.integers(1, 6)),
                "fractional_precision": draw(st.integers(0, 3)),
            }
    return {"identifier": "f", "format": form, "hashing": hashing}, values


@st.composite
def cases(draw):
    chosen = draw(st.lists(fields(), min_size=1, max_size=4))
    features = [{**feature, "identifier": f"f{i}"} for i, (feature, _) in enumerate(chosen)]
    if draw(st.booleans()):
        features.append({"identifier": "rest", "ignored": True})
    kdf = {
        "type": "HKDF",
        "hash": draw(st.sampled_from(["SHA256", "SHA512"])),
        "keySize": draw(st.sampled_from([32, 64])),
    }
    if draw(st.booleans()):
        kdf |= {
            "salt": base64.b64encode(b"salt").decode(),
            "info": base64.b64encode(b"info").decode(),
        }
    schema = {
        "version": 3,
        "clkConfig": {
            "l": draw(st.sampled_from([64, 256, 1024])),
            "xor_folds": draw(st.integers(0, 2)),
            "kdf": kdf,
        },
        "features": features,
    }
    row = [draw(values) for _, values in chosen] + (
        ["ignored"] if len(features) > len(chosen) else []
    )
    return schema, [row], draw(st.text(min_size=1, max_size=20))


@settings(max_examples=300, deadline=None)
@given(cases())
def test_any_record_under_any_schema_has_the_bits_that_clkhash_gives_it(case):
    schema, rows, secret = case
    theirs = clk.generate_clks(
        rows, from_json_dict(json.loads(json.dumps(schema)), validate=False), secret, validate=False
    )
    ours = ClkEncoder(parse_schema(schema), secret.encode()).encode(rows)
    assert [filter_bits.hex() for filter_bits in ours] == [bits.tobytes().hex() for bits in theirs]


def schema(**config):
    hashing = {"comparison": {"type": "ngram", "n": 2}, "strategy": {"bitsPerToken": 3}}
    feature = {
        "identifier": "name",
        "format": {"type": "string", "encoding": "utf-8"},
        "hashing": hashing,
    }
    return {
        "version": 3,
        "clkConfig": {"l": 64, "kdf": {"type": "HKDF"}, **config},
        "features": [feature],
    }


def test_a_schema_key_that_clkhash_documents_and_ignores_is_refused_with_the_spelling_that_works():
    with pytest.raises(SchemaError, match=r"silently ignores.*'xor_folds'"):
        parse_schema(schema(xorFolds=1))


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"version": 1}, "version 1"),
        ({"version": 3}, "clkConfig"),
        ([], "incomplete"),
        (schema(l=100), "l is 100"),
        (schema(l=24), "power of two"),
        (schema(kdf={"type": "legacy"}), "HKDF"),
        (schema(other=1), "clkConfig.other"),
    ],
)
def test_a_schema_that_cannot_be_used_says_where(broken, words):
    with pytest.raises(SchemaError, match=words):
        parse_schema(broken)


def test_a_value_that_does_not_fit_is_refused_without_being_repeated():
    content = schema()
    content["features"][0]["format"] = {"type": "date", "format": "%Y-%m-%d"}
    with pytest.raises(EntryError) as refused:
        ClkEncoder(parse_schema(content), b"s").encode([["2020-02-31"]])
    assert str(refused.value) == "name is not a date in %Y-%m-%d"
