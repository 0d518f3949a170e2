"""The page of the question bank: what can be asked, and what is missing for the others."""

from childlink_catalogue.catalogue import current


def render() -> str:
    """Every question, by theme."""
    questions = current().questions
    asked = sum(1 for item in questions.values() if item.measure)
    lines = [
        "# Questions",
        "",
        f"The programme's reports and its peers ask {len(questions)} kinds of question. {asked} of",
        "them can be asked here. For the others, this page says what is missing.",
        "",
        "`make questions` asks all of them of the made-up partnership at LEAP's size, and counts",
        "which are shown. `childlink-local questions` asks them of a pilot.",
        "",
    ]
    for theme in dict.fromkeys(item.theme for item in questions.values()):
        lines += [f"## {theme}", "", "| | question | how to ask it |", "| --- | --- | --- |"]
        for number, item in questions.items():
            if item.theme == theme:
                how = f"`{item.command}`" if item.measure else f"lacks {', '.join(item.lacks)}"
                lines.append(f"| {number.upper()} | {item.question} | {how} |")
        lines.append("")
    return "\n".join(lines)
