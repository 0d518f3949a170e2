"""The linker's store within one micro-batch's transaction: all its parts together."""

import sqlalchemy as sa

from childlink_linker.store.comparing import ComparedRecords
from childlink_linker.store.identities import Identities
from childlink_linker.store.reviews import Reviews
from childlink_linker.store.subjects import Subjects
from childlink_linker.store.vault import Vault


class Store(Subjects, ComparedRecords, Identities, Reviews):
    """The store, within one transaction."""

    def __init__(self, tx: sa.Connection, vault: Vault) -> None:
        super().__init__(tx)
        self._vault = vault
