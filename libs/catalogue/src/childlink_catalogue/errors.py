"""The catalogue's errors."""

from childlink_core.errors import UserError


class CatalogueError(UserError):
    """A file of the catalogue, a purpose or a denominator table is wrong."""
