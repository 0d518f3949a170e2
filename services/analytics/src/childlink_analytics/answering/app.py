"""Composition root of the answering process."""

from childlink_catalogue.errors import CatalogueError
from childlink_core.keys import read_secret_key

from childlink_analytics.answering.audit_trail import QuestionsTrail
from childlink_analytics.answering.service import Access
from childlink_analytics.settings import ServingSettings
from childlink_analytics.shared.purposes import read_register


def build_access(settings: ServingSettings) -> Access:
    """The access rules of the answering process, and the trail of questions. Raises
    CatalogueError.
    """
    trail = None
    if settings.audit:
        if settings.audit_key is None:
            raise CatalogueError(
                "The trail of questions has no key.",
                "Set audit_key. Make a key with `keys new-audit`.",
            )
        trail = QuestionsTrail(
            settings.audit, read_secret_key(settings.audit_key).derive("questions")
        )
    return Access(read_register(settings.purposes) if settings.purposes else None, trail)
