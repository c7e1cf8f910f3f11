"""Adds the package's long description; everything else is in pyproject.toml."""

import re
from pathlib import Path

from setuptools import setup


def long_description(readme: str) -> str:
    """The README without what only works inside the repository: its pictures, relative links.

    Where the package is shown or published nobody knows the repository's address, so pictures and
    links to files cannot be made to work there; the links' words stay.
    """
    text = re.sub(r'<img src="(?!https?:)[^>]*>\n*', "", readme)
    text = re.sub(r"!\[[^]]*\]\((?!https?:)[^)]*\)\n*", "", text)
    return re.sub(r"\[([^]]+)\]\((?!https?:|#)[^)]*\)", r"\1", text)


setup(
    long_description=long_description(Path("README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
)
