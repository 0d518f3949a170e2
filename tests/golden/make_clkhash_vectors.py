"""Created clkhash_vectors.json once, in an environment with the published clkhash 0.18.3 (and
cryptography 40, which it pins):

    python -m venv /tmp/old
    /tmp/old/bin/pip install clkhash==0.18.3
    /tmp/old/bin/python tests/golden/make_clkhash_vectors.py
"""

import io
import json
from pathlib import Path

import cryptography
from clkhash import clk
from clkhash.schema import from_json_dict

HERE = Path(__file__).parent
PEOPLE = [
    ("amina", "okafor", "2020-03-14", "SW9 8JJ"),
    ("zoë", "o'brien-smith", "2019-12-31", "SE24 0AA"),
    ("muhammad ali", "khan", "2016-02-29", "SW2 1AB"),
    ("x", "ng", "2021-01-01", "CR0 6DL"),
]

if __name__ == "__main__":
    schema = from_json_dict(json.loads((HERE / "clkhash_schema.json").read_text()))
    text = "given,surname,dob,postcode\n" + "\n".join(",".join(p) for p in PEOPLE) + "\n"
    made = clk.generate_clk_from_csv(io.StringIO(text), "golden secret", schema, progress_bar=False)
    filters = [bits.tobytes().hex() for bits in made]
    content = {"cryptography": cryptography.__version__, "people": PEOPLE, "filters": filters}
    (HERE / "clkhash_vectors.json").write_text(
        json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    )
