"""The roles that a policy file can assign."""

from typing import Final

ROLES: Final = ("analyst", "steward", "operator", "release_manager", "auditor")
