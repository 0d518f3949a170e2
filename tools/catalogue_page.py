"""The reference page of the catalogue's files, from their keys."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from childlink_catalogue.language import FILES
from pydantic import BaseModel

HEAD = (Path(__file__).parent / "catalogue_introduction.md").read_text(encoding="utf-8")


_OTHERS = {
    "codings.toml": "For each coding, a table of the contract's codes with the texts that sources"
    " write.",
    "recipes/*.toml": "Known exports of this partnership's systems, for `childlink-ingest map`"
    " ([send an extract](../how-to/send-an-extract.md)).",
    "reports/*.toml": "Files of questions, for `childlink report --questions`"
    " ([write a report](../how-to/write-a-report.md)).",
}


def render() -> str:
    """What each file may say."""
    lines = [HEAD]
    for name, _, tables in FILES:
        lines += [f"## {name}", ""]
        if not tables:
            lines += [_OTHERS[name], ""]
        for table in tables:
            said = " ".join((table.__doc__ or "").split()).removeprefix(f"{name}: ")
            about = said[:1].upper() + said[1:]
            lines += [
                about,
                "",
                "| key | value | what it means | example |",
                "| --- | --- | --- | --- |",
            ]
            lines += [*_rows(table), ""]
    return "\n".join(lines)


def _rows(table: type[BaseModel]) -> Iterator[str]:
    """A row for each key of a table."""
    schema = table.model_json_schema()
    for key, info in table.model_fields.items():
        name = info.alias or key
        kind = _kind(schema["properties"][name], schema.get("$defs", {}))
        kind += ", required" if info.is_required() else _default(info.default)
        example = " ".join(f"`{text}`" for text in info.examples or [])
        cells = (f"`{name}`", kind, info.description or "", example)
        yield f"| {' | '.join(text.replace('|', chr(92) + '|') for text in cells)} |"


def _kind(said: Mapping[str, Any], tables: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    if "$ref" in said:
        return f"a table ({said['$ref'].rpartition('/')[2].removesuffix('Keys').lower()})"
    if "enum" in said:
        return f"one of {', '.join(f'`{value}`' for value in said['enum'])}"
    if "const" in said:
        return f"`{said['const']}`"
    if "anyOf" in said:
        kinds = (_kind(item, tables) for item in said["anyOf"] if item.get("type") != "null")
        return " or ".join(dict.fromkeys(kinds))
    match said.get("type"):
        case "array" if "prefixItems" in said:
            return f"list of {len(said['prefixItems'])}"
        case "array":
            return f"list of {_kind(said.get('items', {}), tables)}"
        case "object":
            return "a table"
        case "string":
            return "date" if said.get("format") == "date" else "text"
        case "integer":
            return "whole number"
        case "boolean":
            return "true or false"
        case _:
            return str(said.get("type", "value"))


def _default(value: object) -> str:
    if value is None or value in ("", [], {}):
        return ""
    return f"; default `{str(value).lower() if isinstance(value, bool) else value}`"
