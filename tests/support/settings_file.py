"""A site's settings as the file that its commands read."""

import json
from pathlib import Path

from childlink_ingest.settings import IngestSettings


def write_settings(settings: IngestSettings, path: Path) -> Path:
    """Write the settings that differ from the defaults. Returns the path."""
    values = settings.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    return path
