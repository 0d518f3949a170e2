"""A second made-up borough, written without sight of the first, to test record linkage.

`generate` writes the extracts of six partners, their mappings and the truth. It shares no code,
name list or error rate with the generator of `childlink-local`, so that parameters that were tuned
on one can be tried on the other.
"""

from pathlib import Path

from tests.bench.second_world.files import World
from tests.bench.second_world.sites_nhs import community, gp, maternity
from tests.bench.second_world.sites_other import charity, council, referrals


def generate(folder: Path, children: int, seed: int, errors: float) -> None:
    """Write all files to `folder`. The same arguments give the same files."""
    world = World(children, seed, errors)
    for site in (maternity, community, council, gp, charity, referrals):
        site(world)
    world.write(folder)
