"""The reference page of the catalogue's files, from their keys."""

from pathlib import Path

from childlink_catalogue.language import FILES

HEAD = (Path(__file__).parent / "catalogue_introduction.md").read_text(encoding="utf-8")


def render() -> str:
    """What each file may say."""
    lines = [HEAD]
    for name, _, tables in FILES:
        lines += [f"## {name}", ""]
        if not tables:
            lines += [
                "For each coding, a table of the contract's codes with the texts that sources"
                " write.",
                "",
            ]
        for table in tables:
            about = " ".join((table.__doc__ or "").split())
            lines += [about, "", "| key | what it means | example |", "| --- | --- | --- |"]
            for key, info in table.model_fields.items():
                example = " ".join(f"`{text}`" for text in info.examples or [])
                cells = (f"`{info.alias or key}`", info.description or "", example)
                lines.append(
                    f"| {' | '.join(text.replace('|', chr(92) + '|') for text in cells)} |"
                )
            lines.append("")
    return "\n".join(lines)
