"""Puts the repository's address where it is wanted: `python .ci/address.py https://github.com/A/B`.

The package's metadata (whose reports then name the documentation), the README's and the notebook's
link that opens the notebook on Colab, and the notebook's field for what to install.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
NOTEBOOK = "notebooks/ConSinGAN_Colab.ipynb"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
MARK = "<!-- Colab: python .ci/address.py ADDRESS -->"


def colab(address: str) -> str:
    """The address that opens the notebook of a repository on GitHub in Colab."""
    path = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?", address)
    if not path:
        raise SystemExit(f"{address} is not of the form https://github.com/OWNER/NAME.")
    return f"https://colab.research.google.com/github/{path[1]}/blob/main/{NOTEBOOK}"


def linked(text: str, address: str) -> str:
    """The README with the link behind its mark, in place of an earlier one."""
    link = f"[![Open in Colab]({BADGE})]({colab(address)})"
    return re.sub(re.escape(MARK) + r"(?: \[!\[.*\))?", lambda _: f"{MARK} {link}", text)


def declared(text: str, address: str) -> str:
    """pyproject.toml with the address among the project's."""
    text = re.sub(r'^Repository = ".*"\n', "", text, flags=re.M)
    return text.replace("[project.urls]\n", f'[project.urls]\nRepository = "{address}"\n')


def filled(text: str, address: str) -> str:
    """The notebook with the address in its field and the link in its first cell."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        cell["source"] = [
            re.sub(r'^REPOSITORY = ".*?"', f'REPOSITORY = "{address}"', line)
            for line in cell["source"]
        ]
    first = notebook["cells"][0]["source"]
    kept = [line for line in first if BADGE not in line]
    notebook["cells"][0]["source"] = [f"[![Open in Colab]({BADGE})]({colab(address)})\n", *kept]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def configure(root: Path, address: str) -> None:
    """Write it into all of them."""
    address = address.removesuffix("/").removesuffix(".git")
    for name, change in (
        ("README.md", linked), ("pyproject.toml", declared), (NOTEBOOK, filled)
    ):  # fmt: skip
        path = root / name
        path.write_text(change(path.read_text("utf-8"), address), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Give the repository's address: https://github.com/OWNER/NAME")
    configure(ROOT, sys.argv[1])
