"""How the documentation is built: python -m sphinx -W -n -b html docs docs/_build/html."""

from __future__ import annotations

from sphinx.application import Sphinx

import consingan

project = "ConSinGAN"
author = "the ConSinGAN contributors"
copyright = author
release = version = consingan.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
smartquotes = False  # "--flag" must not become a dash

html_theme = "furo"
html_title = "ConSinGAN"
html_static_path = ["_static"]
html_css_files = ["tables.css"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
# Types of other projects, whose pages lie in the network, which a build must not need, and types
# of this one that only its code speaks of.
nitpick_ignore_regex = [
    ("py:.*", r"(torch|pathlib|collections|typing)\..*"),
    ("py:class", r"(Source|Border|Spacing|Report|Record|Tensor|Path|Callable|Iterator|Any)"),
    ("py:class", r"Given(Device)?"),
    ("py:class", r"consingan\.(settings|machine|methods|metrics|runs|outputs|images)\..*"),
]


def to_downloads(_app: Sphinx, _name: str, text: list[str]) -> None:
    """Let links to files of the repository, which GitHub shows, be downloads on the site."""
    text[0] = text[0].replace("](../", "](path:../")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", to_downloads)
