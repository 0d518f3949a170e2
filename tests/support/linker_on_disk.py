"""A linker's settings file, keys and store, as its commands read them."""

from pathlib import Path

from childlink_linker import app
from childlink_local.workspace import create_workspace

from tests.support.people import LinkerUnderTest, Partnership


def linker_on_disk(folder: Path, partnership: Partnership) -> tuple[Path, LinkerUnderTest]:
    """The settings file, and a linker on the same store with the same vault key."""
    settings = create_workspace(folder, ["trust-a", "council-b"], "localhost:1").linker
    file = folder / "linker.toml"
    lines = [
        f'{name} = "{getattr(settings, name)}"'
        for name in (
            "directory",
            "database",
            "token_key",
            "signing_key",
            "opening_key",
            "bootstrap_servers",
        )
    ]
    file.write_text("\n".join(lines) + "\n")
    (folder / "linker").mkdir(exist_ok=True)
    return file, LinkerUnderTest(partnership, settings.database, app.vault_of(settings))
