"""Runs the notebooks of the tutorials unchanged, against a real answering process."""

import json
import os
import random
import re
import sys
from pathlib import Path

import nbformat
import pytest
from childlink_catalogue.catalogue import Catalogue, bundled
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tests.support.answers import answering, publish

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"
PAGE = TUTORIALS / "ask-in-a-notebook.ipynb"
TEN = TUTORIALS / "ten-questions.ipynb"


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Runs a notebook with this Python, regardless of the kernels that the machine knows."""
    folder = tmp_path / "kernels" / "childlink"
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(
        json.dumps({"argv": command, "display_name": "childlink", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    def run(notebook, address):
        monkeypatch.setenv("CHILDLINK_ADDRESS", address)
        NotebookClient(notebook, timeout=60, kernel_name="childlink").execute(env=dict(os.environ))
        return [output for cell in notebook.cells for output in cell.get("outputs", [])]

    return run


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom_and_shows_tables_frames_and_charts(
    kernel, answering_address
):
    outputs = kernel(nbformat.read(PAGE, 4), answering_address)
    shown = [output.data for output in outputs if output.output_type == "execute_result"]
    assert sum("image/png" in data for data in shown) == 4, "every chart is drawn"
    tables = "".join(data.get("text/html", "") for data in shown)
    assert "<em>&lt;10</em>" in tables
    assert "Odds ratio, adjusted" in tables
    assert "mean_change" in tables
    assert "2026-Q1" in tables
    values = "".join(data["text/plain"] for data in shown)
    assert "'residense'; use one of: residence" in values, "a wrong name gets the nearest"
    assert "The count is withheld" in values


@pytest.mark.slow
def test_ten_questions_drawn_by_lot_from_the_bank_are_answered(kernel, tmp_path):
    publish(tmp_path / "releases", "2026-Q2", 1, "2026-06-30", people=1_000, tables=True)
    notebook = nbformat.read(TEN, 4)
    bank = [
        "q027", "q031", "q058", "q082", "q129", "q132", "q143", "q154", "q160", "q166",
    ]  # fmt: skip
    assert sorted(random.Random(2026).sample(sorted(Catalogue(bundled()).questions), 10)) == bank
    text = "".join(cell["source"] for cell in notebook.cells)
    assert [f"Q{key[1:]}" for key in bank] == re.findall(r"## (Q\d+):", text)
    with answering(tmp_path / "releases") as address:
        outputs = kernel(notebook, address)
    shown = [output.data for output in outputs if output.output_type == "execute_result"]
    answers = sum(bool({"text/html", "image/png"} & set(data)) for data in shown)
    assert answers == len(bank) + 1, "one of them is asked in two ways"


@pytest.mark.slow
def test_a_notebook_without_a_service_fails_where_it_asks(kernel):
    with pytest.raises(CellExecutionError, match="does not answer"):
        kernel(nbformat.read(PAGE, 4), "127.0.0.1:1")


@pytest.mark.parametrize("page", [PAGE, TEN])
def test_the_notebook_is_kept_without_outputs(page):
    assert not [
        cell
        for cell in nbformat.read(page, 4).cells
        if cell.get("outputs") or cell.get("execution_count")
    ]
