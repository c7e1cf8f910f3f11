"""Works on a kept study on a cluster of Ray, its first order of each node being held.

python tests/study_driver.py ADDRESS STUDY
"""

from __future__ import annotations

import sys
from pathlib import Path

from studies import held

from consingan.batch.on_ray import cluster
from consingan.batch.plan import kept_study, planned


def main(address: str, folder: Path) -> int:
    plan = planned(kept_study(folder), folder, save_every=1)
    plan.begin()
    ended = [e for some in cluster(address).run(plan, held, shared=False) for e in some]
    print("\n".join(f"{one.status} {one.name} {one.words}" for one in ended))
    return 0 if all(one.status == "finished" for one in ended) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
