"""Writes docs/reference/mapping.md: what a mapping file may say, from `language`."""

from pathlib import Path

from childlink_ingest.mapping import language
from pydantic import BaseModel

INTRODUCTION = Path(__file__).with_name("mapping_introduction.md")


def render() -> str:
    """The whole page."""
    lines = [INTRODUCTION.read_text(encoding="utf-8")]
    for title, model in language.PARTS:
        lines += [f"## {title}", "", *([_about(model), ""] if _about(model) else [])]
        lines += ["| key | what it says | example |", "| --- | --- | --- |"]
        for name, info in model.model_fields.items():
            needed = " Required." if info.is_required() else ""
            examples = " ".join(f"`{_cell(example)}`" for example in info.examples or [])
            lines.append(f"| `{name}` | {_cell(info.description or '')}{needed} | {examples} |")
        lines.append("")
    return "\n".join(lines)


def _about(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split()) if model is not language.MappingKeys else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
