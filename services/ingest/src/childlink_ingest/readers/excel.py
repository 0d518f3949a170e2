"""Reads Excel and OpenDocument spreadsheets with python-calamine. Formulas give their last
values.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from childlink_ingest.errors import ExtractError
from childlink_ingest.readers.record import Source, as_text, header_and_rows

# A spreadsheet is an archive and is read whole. A million rows unpack to far less than this.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LARGEST_UNPACKED = 2 * 1024**3


@contextmanager
def open_excel(
    path: Path, source: Source
) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """Yield the header and the numbered rows of one sheet (by default the first). Raises
    ExtractError.
    """
    _refuse_bombs(path)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names = workbook.sheet_names
        if source.sheet and source.sheet not in names:
            raise ExtractError(
                f"{path.name} has no sheet {source.sheet!r}.",
                f"Its sheets are: {', '.join(names)}.",
            )
        if not names:
            raise ExtractError(f"{path.name} has no sheet.", "Export it again.")
        rows = workbook.get_sheet_by_name(source.sheet or names[0]).iter_rows()
        numbered = (
            (number, [as_text(cell) for cell in row]) for number, row in enumerate(rows, start=1)
        )
        yield header_and_rows(numbered, source, path.name)
    except (CalamineError, OSError, zipfile.BadZipFile) as error:
        raise ExtractError(
            f"{path.name} cannot be read as a spreadsheet ({type(error).__name__}).",
            "Open and save it again, or export CSV.",
        ) from None


def _refuse_bombs(path: Path) -> None:
    with suppress(OSError), path.open("rb") as file:
        begin = file.read(1024)
        if begin.lstrip()[:1] == b"<":
            raise ExtractError(
                f"{path.name} is a web page (HTML), not a spreadsheet.",
                "Open it in a spreadsheet, and save it as .xlsx or CSV.",
            )
        if begin[:8] == _OLE and path.suffix.lower() != ".xls":
            raise ExtractError(
                f"{path.name} has a password, or is an old Office file.",
                "Save it without a password, as .xlsx or CSV. The copy stays on this machine.",
            )
    if path.suffix.lower() == ".xls":
        return
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise ExtractError(
            f"{path.name} is not a spreadsheet ({type(error).__name__}).", "Open and save it again."
        ) from None
    if unpacked > _LARGEST_UNPACKED:
        raise ExtractError(
            f"{path.name} unpacks to {unpacked / 1e9:.1f} GB.", "Export CSV or Parquet instead."
        )
