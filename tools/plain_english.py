"""Refuses words that make our sentences hard to read: `python tools/plain_english.py`.

The list is `words.toml`, beside this file. Code blocks and names in backticks do not count.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_CODE: Final = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LONGEST_LINE: Final = 120


def problems(text: str, refused: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Line and word of each refused word, outside of code.

    >>> list(problems("Ask nobody.\\nRun `nobody` anew.", ["nobody", "anew"]))
    [(1, 'nobody'), (2, 'anew')]
    """
    plain = _CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, refused))})\b", re.IGNORECASE)
    for match in pattern.finditer(plain):
        yield plain.count("\n", 0, match.start()) + 1, match[1]


def long_lines(text: str) -> Iterator[int]:
    """Numbers of lines over 120 characters that could be wrapped: tables, links and code cannot.

    >>> list(long_lines("word " * 30))
    [1]
    """
    plain = _CODE.sub(
        lambda match: match[0] if "\n" not in match[0] else "\n" * match[0].count("\n"), text
    )
    for number, line in enumerate(plain.split("\n"), 1):
        if (
            len(line) > _LONGEST_LINE
            and not line.lstrip().startswith(("|", "#"))
            and " " in line[:_LONGEST_LINE]
        ):
            yield number


def main() -> int:
    """Print what is refused; 1 if anything is."""
    rules = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    found = 0
    for name in listed:
        if name.startswith(tuple(rules["left_out"])) or not (ROOT / name).exists():
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        for line, word in problems(text, rules["refused"]):
            sys.stdout.write(f"{name}:{line}: rewrite the sentence with {word!r}\n")
            found += 1
        for line in long_lines(text):
            sys.stdout.write(f"{name}:{line}: wrap this line at {_LONGEST_LINE} characters\n")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
