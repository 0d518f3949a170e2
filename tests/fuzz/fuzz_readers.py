"""Coverage-guided fuzzing of everything that reads a partner's files: CSV reader, mapping parser,
row mapper, proposals, linkage schema.

`make test` does not run it. To run it for 30 minutes (atheris is not in the lock file, because
nothing else needs it):

    .tools/bin/uv pip install --python .venv/bin/python atheris
    .venv/bin/python tests/fuzz/fuzz_readers.py -max_total_time=1800

Only errors with a readable message may occur. Anything else is a crash.
"""

import json
import sys
import tempfile
from datetime import date
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["childlink_ingest", "childlink_core"]):
    from childlink_catalogue.catalogue import all_datasets
    from childlink_core.errors import UserError
    from childlink_ingest.mapping.apply import RowMapper
    from childlink_ingest.mapping.bind import bind
    from childlink_ingest.mapping.parse import parse_mapping
    from childlink_ingest.model.rows import Rejection
    from childlink_ingest.proposing.propose import propose
    from childlink_ingest.pseudonymise.clk import parse_schema
    from childlink_ingest.readers import Source, open_extract
    from childlink_ingest.readers.sniff import sniff

FILE = Path(tempfile.mkdtemp()) / "e.csv"
DATASETS = list(all_datasets().values())
GOOD = parse_mapping(
    'dataset = "asq3"\n[columns]\nrow_id = "id"\nchild_id = "id"\nchild_nhs_number ='
    ' "nhs"\nchild_given_name = "first"\nchild_surname = "last"\nchild_date_of_birth ='
    ' "dob"\nreview_date = "when"\ncommunication = "comm"\n',
    "fuzz",
)


def one(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    choice = provider.ConsumeIntInRange(0, 3)
    try:
        if choice == 0:
            FILE.write_bytes(provider.ConsumeBytes(4096))
            source = sniff(FILE)
            with open_extract(FILE, source) as extract:
                rows = [r.values for r in extract if not isinstance(r, Rejection)][:50]
                if rows:
                    propose(extract.header, rows, provider.PickValueInList(DATASETS), {})
        elif choice == 1:
            parse_mapping(provider.ConsumeUnicodeNoSurrogates(2048), "fuzz")
        elif choice == 2:
            FILE.write_bytes(b"id,nhs,first,last,dob,when,comm\n" + provider.ConsumeBytes(4096))
            mapper = RowMapper(GOOD, date(2026, 1, 1))
            with open_extract(
                FILE,
                Source(provider.PickValueInList(["utf-8", "cp1252", "latin-1", "utf-16", "auto"])),
                lambda header: bind(GOOD, header, "fuzz"),
                GOOD.used,
            ) as extract:
                for record in extract:
                    if not isinstance(record, Rejection):
                        mapper(record.number, record.values)
        else:
            parse_schema(json.loads(provider.ConsumeUnicodeNoSurrogates(2048)))
    except (UserError, json.JSONDecodeError, RecursionError):
        pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
