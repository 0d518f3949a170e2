"""Prints a page as PDF with headless Chromium, if it is installed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from childlink_client.errors import ClientError

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PDF_S: Final = 120


def write_pdf(page: str, path: Path) -> None:
    """Print the report as PDF with headless Chromium. Raises ClientError if it is not installed or
    fails.
    """
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise ClientError(
            "A PDF needs Chromium or Chrome, and neither is installed. Write an .html file"
            " instead: every browser can print it."
        )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "report.html"
        source.write_text(page, encoding="utf-8")
        # As root (in a container) Chromium refuses to use its own sandbox. The page is ours and has
        # no script.
        sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command = [
            browser,
            "--headless",
            *sandbox,
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            f"--user-data-dir={folder}/profile",
            # The page has page numbers of its own. Headings become the outline.
            "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
            f"--print-to-pdf={path.resolve()}",
            source.as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=_PDF_S)
        except subprocess.TimeoutExpired:
            raise ClientError(
                f"{Path(browser).name} took longer than {_PDF_S} s to write {path}. Write an"
                " .html file instead."
            ) from None
    if done.returncode != 0 or not path.exists():
        raise ClientError(
            f"{Path(browser).name} could not write {path}. Write an .html file instead."
        )
