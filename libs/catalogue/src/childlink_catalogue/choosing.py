"""Chooses the catalogue of a process from its settings, and checks its signatures. Every process
that reads a catalogue does this first.
"""

from pathlib import Path

from childlink_core.settings import SettingsFile
from pydantic_settings import SettingsConfigDict

from childlink_catalogue.catalogue import Catalogue, current, use
from childlink_catalogue.signing import verify


class CatalogueSettings(SettingsFile):
    """The settings about the catalogue. Set them in the TOML file of a service, or as
    CHILDLINK_CATALOGUE and CHILDLINK_CATALOGUE_KEYS.
    """

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_", extra="ignore")

    catalogue: Path | None = None
    """Folder of the partnership's catalogue. Default: the example that comes with childlink."""
    catalogue_keys: Path | None = None
    """File with the public keys of the people who sign the catalogue, in the directory's format. If
    it is set, a catalogue that two of them did not sign is refused.
    """


def choose(settings_file: Path | None) -> Catalogue:
    """Use the catalogue that the settings name. Raises CatalogueError, SettingsError."""
    settings = CatalogueSettings.load(settings_file)
    use(settings.catalogue)
    chosen = current()
    if settings.catalogue_keys:
        verify(chosen, settings.catalogue_keys)
    return chosen
