"""The encoding profile of the store. All records in it are encoded under this one."""

import sqlalchemy as sa
from childlink_core.errors import UserError
from childlink_core.profiles import Profile
from sqlalchemy.exc import IntegrityError

from childlink_linker.store import tables as t

_WHY_ONE_KIND = (
    "A store holds CLKs or hardened encodings, never both: joined to a CLK, a hardened encoding"
    " would be open, too."
)
# What is compared. Subjects, persons, families, decisions and events stay.
_ENCODED = (t.review_pair, t.carer, t.edge, t.block_key, t.record)


def check_profile(engine: sa.Engine, profile: Profile) -> None:
    """Check that the store's records are encoded under this profile. An empty store takes it.

    Raises UserError.
    """
    try:
        with engine.begin() as tx:
            held = _held(tx)
            if held is None:
                tx.execute(sa.insert(t.encoding_profile).values(_row(profile)))
                return None
            if held.fingerprint == profile.fingerprint:
                return None
            if not tx.execute(sa.select(sa.exists().select_from(t.subject))).scalar_one():
                tx.execute(sa.update(t.encoding_profile).values(_row(profile)))
                return None
    except IntegrityError:
        # Another linker started at the same moment.
        return check_profile(engine, profile)
    _refuse_other_kind(held, profile)
    raise UserError(
        f"This store holds encodings of profile {held.profile}, and the settings name"
        f" {profile.id}{_another_version(held, profile)}.",
        "Put the setting back, or move the store to the other profile:"
        f" childlink-linker change-profile {profile.id}.",
    )


def change_profile(tx: sa.Connection, profile: Profile) -> int:
    """Forget all encodings, and take another profile of the same kind. Identifiers stay. Partners
    send their records again with their next runs.

    Returns the number of records that were forgotten. Raises UserError.
    """
    held = _held(tx)
    if held is not None and held.fingerprint == profile.fingerprint:
        raise UserError(f"This store is under profile {profile.id} already.", "Nothing to do.")
    if held is not None:
        _refuse_other_kind(held, profile)
    count: int = tx.execute(sa.select(sa.func.count()).select_from(t.record)).scalar_one()
    for table in _ENCODED:
        tx.execute(sa.delete(table))
    tx.execute(sa.delete(t.encoding_profile))
    tx.execute(sa.insert(t.encoding_profile).values(_row(profile)))
    return count


def _held(tx: sa.Connection) -> sa.Row[tuple[int, str, str, bytes]] | None:
    return tx.execute(sa.select(t.encoding_profile)).one_or_none()


def _row(profile: Profile) -> dict[str, object]:
    return {
        "only": 1,
        "profile": profile.id,
        "kind": profile.kind,
        "fingerprint": profile.fingerprint,
    }


def _another_version(held: sa.Row[tuple[int, str, str, bytes]], profile: Profile) -> str:
    return " in another version" if held.profile == profile.id else ""


def _refuse_other_kind(held: sa.Row[tuple[int, str, str, bytes]], profile: Profile) -> None:
    if held.kind != profile.kind:
        raise UserError(
            f"This store holds encodings of profile {held.profile}, and {profile.id} is of another"
            f" kind. {_WHY_ONE_KIND}",
            "Put the setting back, or use an empty database.",
        )
