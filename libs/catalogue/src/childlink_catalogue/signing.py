"""Signatures of a catalogue. Two people of the partnership sign each version, with keys that the
hub does not hold. Sites and hub accept only what both signed. Adapter: reads and writes
`signatures.json` in the catalogue's folder.
"""

import base64
import json
from pathlib import Path
from typing import Final

from childlink_core.directory import read_directory
from childlink_core.keys import SigningKey

from childlink_catalogue.catalogue import Catalogue
from childlink_catalogue.errors import CatalogueError

SIGNATURES: Final = "signatures.json"
NEEDED: Final = 2


def sign(declared: Catalogue, key: SigningKey) -> list[str]:
    """Add a signature. Signatures of another content are dropped. Returns who has signed."""
    found = {by: text for by, text in _read(declared).items() if by != key.owner}
    found[key.owner] = base64.b64encode(key.sign(_message(declared))).decode()
    content = {"content_sha256": declared.digest, "signatures": dict(sorted(found.items()))}
    text = json.dumps(content, indent=1, sort_keys=True) + "\n"
    (declared.folder / SIGNATURES).write_text(text, encoding="utf-8")
    return sorted(found)


def verify(declared: Catalogue, keys: Path) -> list[str]:
    """Who of those in the file of keys has signed this content. Raises CatalogueError if they are
    fewer than two.
    """
    known = read_directory(keys).members
    message = _message(declared)
    signed = []
    for by, text in _read(declared).items():
        signature = base64.b64decode(text)
        if by in known and any(key.matches(signature, message) for key in known[by].signing):
            signed.append(by)
    if len(signed) < NEEDED:
        who = f"only {signed[0]} has" if signed else "nobody has"
        raise CatalogueError(
            f"Version {declared.about.version} of the catalogue {declared.about.id} is not"
            f" approved: {who} signed what is in {declared.folder}.",
            f"Two of {', '.join(sorted(known))} must sign it: childlink-catalogue sign.",
        )
    return sorted(signed)


def _message(declared: Catalogue) -> bytes:
    about = declared.about
    return f"childlink catalogue {about.id} {about.version} {declared.digest}".encode()


def _read(declared: Catalogue) -> dict[str, str]:
    """Signatures of the present content, by who signed."""
    path = declared.folder / SIGNATURES
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        signatures = {str(by): str(text) for by, text in content["signatures"].items()}
        for text in signatures.values():
            base64.b64decode(text, validate=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CatalogueError(
            f"{path} is damaged.", "Fetch the catalogue again, or let it be signed again."
        ) from None
    return signatures if content.get("content_sha256") == declared.digest else {}
