"""Chooses the catalogue of a process from its settings, and checks its signatures. Every process
that reads a catalogue does this first, so it imports nothing that it may not need.
"""

import os
from pathlib import Path


def choose(settings_file: Path | None) -> None:
    """Use the catalogue that the settings name. Without any, nothing has to be done: the catalogue
    is that of the environment, or the example. Raises CatalogueError, SettingsError.
    """
    if settings_file is None and not os.environ.get("CHILDLINK_CATALOGUE_KEYS"):
        return
    from childlink_catalogue.catalogue import current, use
    from childlink_catalogue.settings import CatalogueSettings
    from childlink_catalogue.signing import verify

    settings = CatalogueSettings.load(settings_file)
    use(settings.catalogue)
    if settings.catalogue_keys:
        verify(current(), settings.catalogue_keys)
