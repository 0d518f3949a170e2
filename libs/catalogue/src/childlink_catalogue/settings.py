"""The settings about the catalogue, which the settings of every service that reads it include."""

from pathlib import Path

from childlink_core.settings import SettingsFile
from pydantic_settings import SettingsConfigDict


class CatalogueSettings(SettingsFile):
    """The settings about the catalogue. In the environment they are CHILDLINK_CATALOGUE and
    CHILDLINK_CATALOGUE_KEYS for every service.
    """

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_", extra="ignore")

    catalogue: Path | None = None
    """Folder of the partnership's catalogue. Default: the example that comes with childlink. In the
    environment it is CHILDLINK_CATALOGUE.
    """
    catalogue_keys: Path | None = None
    """File with the public keys of the people who sign the catalogue, in the directory's format. If
    it is set, a catalogue that two of them did not sign is refused. In the environment it is
    CHILDLINK_CATALOGUE_KEYS.
    """
