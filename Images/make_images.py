"""Draw the example pictures of this folder; see README.md beside this script.

``python Images/make_images.py`` draws them all, ``python Images/make_images.py aurora waves`` only
those two, and ``--output DIR`` writes them elsewhere, in the same sub-folders.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from drawing import SCENES
from drawing.canvas import save_all


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Draw the example pictures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="pictures to draw (default: all)")
    here = Path(__file__).resolve().parent
    parser.add_argument("--output", type=Path, default=here, help="folder to write to")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    arguments = parser.parse_args()
    known = {name for scenes in SCENES.values() for name in scenes}
    unknown = sorted(set(arguments.names) - known)
    if unknown:
        parser.error(f"no such picture: {', '.join(unknown)} (known: {', '.join(sorted(known))})")
    return arguments


def main() -> None:
    """Draw the wanted pictures and save them."""
    arguments = parse_arguments()
    for folder, scenes in SCENES.items():
        for name, draw in scenes.items():
            if arguments.list:
                print(f"{folder}/{name}")
            elif not arguments.names or name in arguments.names:
                start = time.perf_counter()
                save_all(draw(), arguments.output / folder)
                print(f"{folder}/{name}: {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
