"""The directory: the partnership's public list of senders, and of the keys that batches are sealed
to.

It holds no secret. It is a TOML file with one table per member:

    [members.trust-a]
    title = "Trust A"
    kind = "partner"
    signing = ["base64 of an Ed25519 public key"]
    # Batches are sealed to the first key; the others are being retired.
    sealing = ["base64 of an X25519 public key"]

    # Check values of the linkage secrets in use. They do not reveal the secrets.
    [linkage]
    "1" = "9f86d081"
"""

import base64
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from childlink_core.errors import UserError
from childlink_core.keys import SealKey, SecretKey, VerifyKey
from childlink_core.topics import SERVICES, check_partner_name


@dataclass(frozen=True)
class Member:
    """A partner or a service, with its public keys."""

    name: str
    title: str
    signing: tuple[VerifyKey, ...]
    sealing: tuple[SealKey, ...]

    @property
    def is_partner(self) -> bool:
        """Whether the member is a partner, which sends extracts, and not a service of the hub."""
        return self.name not in SERVICES


@dataclass(frozen=True)
class Directory:
    """All members by name."""

    members: Mapping[str, Member]
    linkage: Mapping[int, str] = field(default_factory=dict)
    """Check value of the linkage secret, by version. Empty if the hub does not publish any."""

    def check_linkage(self, key: SecretKey) -> None:
        """Raise UserError if `key` is not a linkage secret in use.

        With a wrong secret, records would silently not link.
        """
        if not self.linkage:
            return
        if key.version not in self.linkage:
            versions = ", ".join(map(str, self.linkage))
            raise UserError(
                f"The linkage secret has version {key.version}; the partnership uses {versions}.",
                "Ask the key custodian for the current secret, or fetch the hub's current"
                " directory.",
            )
        if self.linkage[key.version] != key.check_value:
            raise UserError(
                f"The linkage secret's check value is {key.check_value}, not the partnership's "
                f"{self.linkage[key.version]}: these are different secrets.",
                "Nothing was sent. Ask the key custodian to issue it again.",
            )

    @property
    def partners(self) -> list[str]:
        """Names of the partners, sorted."""
        return sorted(name for name, member in self.members.items() if member.is_partner)

    def verify_key(self, owner: str, key_id: str) -> VerifyKey | None:
        """The public key of `owner` with this key id, or None."""
        member = self.members.get(owner)
        return (
            next((key for key in member.signing if key.key_id == key_id), None) if member else None
        )

    def seal_key(self, owner: str) -> SealKey:
        """The key that batches for `owner` are sealed to. Raises UserError if there is none."""
        member = self.members.get(owner)
        if member is None or not member.sealing:
            raise UserError(
                f"The directory has no sealing key for {owner!r}.",
                "Fetch the hub's current directory file.",
            )
        return member.sealing[0]


def read_directory(path: Path) -> Directory:
    """Read a directory file. Raises UserError that says what is wrong with it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        members = {name: _member(name, table) for name, table in content["members"].items()}
        linkage = {
            int(version): str(value) for version, value in content.get("linkage", {}).items()
        }
    except FileNotFoundError:
        raise UserError(
            f"Directory file {path} does not exist.", "Fetch it from the hub and set its path."
        ) from None
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is not a directory file: {error}.", "Fetch it from the hub again."
        ) from None
    return Directory(members, linkage)


def render_directory(members: Iterable[Member], linkage: Mapping[int, str] | None = None) -> str:
    """The text of a directory file."""
    lines = ["# childlink directory: public keys only."]
    for member in sorted(members, key=lambda m: m.name):
        signing = ", ".join(f'"{base64.b64encode(key.public).decode()}"' for key in member.signing)
        sealing = ", ".join(f'"{base64.b64encode(key.public).decode()}"' for key in member.sealing)
        lines += [
            "",
            f"[members.{member.name}]",
            f'title = "{member.title}"',
            f"signing = [{signing}]",
            f"sealing = [{sealing}]",
        ]
    if linkage:
        lines += [
            "",
            "[linkage]",
            *(f'"{version}" = "{value}"' for version, value in sorted(linkage.items())),
        ]
    return "\n".join(lines) + "\n"


def _member(name: str, table: Mapping[str, object]) -> Member:
    if name not in SERVICES:
        check_partner_name(name)
    signing, sealing = (
        tuple(base64.b64decode(str(text), validate=True) for text in _list(table.get(key, [])))
        for key in ("signing", "sealing")
    )
    if any(len(public) != 32 for public in (*signing, *sealing)):
        raise ValueError(f"a public key of {name} is not 32 bytes")
    return Member(
        name,
        str(table.get("title", name)),
        tuple(VerifyKey(name, public) for public in signing),
        tuple(SealKey(name, public) for public in sealing),
    )


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("keys are given as a list")
    return value
