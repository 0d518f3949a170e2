"""The pages of attacks and of faults name only tests that exist, and every test of either kind is
on them.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_and_the_tests_agree() -> None:
    page = (ROOT / "docs" / "assurance" / "attacks-and-faults.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/\S+?\.py)`", page))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    there = [*ROOT.glob("tests/faults/test_*.py"), *ROOT.glob("tests/attacks/access/test_*.py")]
    assert {str(path.relative_to(ROOT)) for path in there} <= named
