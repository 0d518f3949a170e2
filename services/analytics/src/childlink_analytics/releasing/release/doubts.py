"""What makes a cut doubtful, so that a release manager has to ask for it twice. Rule: facts in,
sentences out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from childlink_catalogue.catalogue import Catalogue

from childlink_analytics.errors import ReleaseError

Manifest = Mapping[str, Any]


def doubts(
    until: date,
    today: date,
    present: Collection[str],
    behind: Sequence[str],
    earlier: Sequence[Manifest],
) -> list[str]:
    """Reasons against a cut. `present` are the datasets with linked rows; `behind` are partners
    whose links have not arrived; `earlier` are manifests of earlier releases.
    """
    found = []
    if until > today:
        found.append(f"Its last day of data, {until}, is in the future.")
    newest = max((str(item["data_until"]) for item in earlier), default="")
    if until.isoformat() < newest:
        found.append(f"Its last day of data, {until}, is before that of a release, {newest}.")
    if behind:
        found.append(
            f"Rows of {', '.join(behind)} are here before their links. A release now would leave"
            " them out."
        )
    gone = sorted(datasets_of(earlier) - set(present))
    if gone:
        found.append(f"There are no rows of {', '.join(gone)} any more, and a release has them.")
    return found


def datasets_of(earlier: Iterable[Manifest]) -> set[str]:
    """The datasets of which earlier releases counted rows."""
    return {name for item in earlier for name in item.get("datasets", {})}


def check_catalogue(declared: Catalogue, earlier: Sequence[Manifest]) -> None:
    """Raise ReleaseError if a release was counted by a newer version of the catalogue, or by
    another of the same version.
    """
    about = declared.about
    for item in earlier:
        before = item.get("catalogue")
        if before is None:
            continue
        if before["id"] != about.id:
            raise ReleaseError(
                f"Releases here were counted by the catalogue {before['id']}, and this is"
                f" {about.id}.",
                "Correct the setting `catalogue`. Another partnership needs a store of its own.",
            )
        if before["version"] > about.version:
            raise ReleaseError(
                f"A release was counted by version {before['version']} of the catalogue, and this"
                f" is version {about.version}.",
                "Fetch the newest version. Versions only rise.",
            )
        if before["version"] == about.version and before["sha256"] != declared.digest:
            raise ReleaseError(
                f"Version {about.version} of the catalogue has changed since a release was counted"
                " by it.",
                f"Raise `version` to {about.version + 1}, and have it signed.",
            )
