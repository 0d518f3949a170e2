"""The catalogue's errors."""

from childlink_core.errors import UserError


class CatalogueError(UserError):
    """The declaration of a measure, a purpose or a denominator table is wrong."""
