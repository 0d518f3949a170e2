"""The lock file overrides clkhash's `cryptography<41`. Its filters are still identical, bit for
bit, to those of the versions that it requires.
"""

import io
import json
from importlib.metadata import version
from pathlib import Path

from clkhash import clk
from clkhash.schema import from_json_dict

HERE = Path(__file__).parent


def test_filters_are_the_same_on_the_cryptography_that_we_lock():
    golden = json.loads((HERE / "clkhash_vectors.json").read_text())
    assert (
        int(golden["cryptography"].split(".")[0]) < 41 <= int(version("cryptography").split(".")[0])
    )
    schema = from_json_dict(json.loads((HERE / "clkhash_schema.json").read_text()))
    text = "given,surname,dob,postcode\n" + "\n".join(",".join(p) for p in golden["people"]) + "\n"
    made = clk.generate_clk_from_csv(io.StringIO(text), "golden secret", schema, progress_bar=False)
    filters = [bits.tobytes().hex() for bits in made]
    assert filters == golden["filters"]
