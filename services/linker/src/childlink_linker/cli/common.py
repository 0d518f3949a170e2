"""The main command group."""

from childlink_core.commands import service_group

main = service_group(
    "linker",
    "Assign child, adult and family identifiers from encodings. The linker holds no names, dates of"
    " birth, NHS numbers or attributes.",
)
