"""Command: `python -m tests.bench.second_world OUT --children 3000 --seed 1 --errors 1.0`."""

import argparse
from pathlib import Path

from tests.bench.second_world import generate

parser = argparse.ArgumentParser(description="Write the extracts of a made-up borough.")
parser.add_argument("out", type=Path, metavar="OUT", help="folder for the files")
parser.add_argument("--children", type=int, default=3000)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--errors", type=float, default=1.0, help="multiplies all error rates")
given = parser.parse_args()
generate(given.out, given.children, given.seed, given.errors)
