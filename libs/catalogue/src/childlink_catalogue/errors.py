"""The catalogue's errors."""

from childlink_core.errors import UserError


class CatalogueError(UserError):
    """A measure, a purpose or a table of denominators is declared wrongly."""
