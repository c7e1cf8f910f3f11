"""Packages that not everybody has: in which versions they work, and how one gets them.

The bounds are those of the extras in pyproject.toml.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from consingan.errors import UserError, out_of_memory

FFMPEG = "imageio-ffmpeg>=0.5"
HEIF = "pillow-heif>=0.18"
RAY = "ray>=2.9"
GRADIO = "gradio>=6"


@contextlib.contextmanager
def needed(requirement: str, by: str, otherwise: str = "") -> Iterator[None]:
    """Import what a package holds in this block.

    Args:
        requirement: one of the above.
        by: what needs it, and the verb.
        otherwise: what else can be done.

    Raises:
        UserError: it is missing, too old or broken; the sentence says how to get it.
    """
    words = f"{requirement.replace('>=', ' ')} or newer"
    sentence = f"{by} {words}; run: {installing(requirement)}{otherwise}."
    if is_too_old(requirement):
        raise UserError(sentence)
    try:
        yield
    except Exception as error:  # importing runs all that stands in a package
        if out_of_memory(error):
            raise
        name, version = requirement.partition(">=")[0], version_of(requirement)
        if version is None or getattr(error, "name", "") == name.replace("-", "_"):
            raise UserError(sentence) from None
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UserError(
            f"{by} {name}, and {name} {version}, which is here, cannot be imported ({reason}); "
            f"run: pip install --force-reinstall {name}{otherwise}."
        ) from None


def installing(*requirements: str) -> str:
    """The command that gets packages, quoted as all shells take it, Windows' too."""
    return " ".join(("pip install", *(f'"{requirement}"' for requirement in requirements)))


def is_too_old(requirement: str) -> bool:
    """Whether a package is there in a version that is not asked for, as far as that is known."""
    version = version_of(requirement)
    return version is not None and not fits(requirement, version)


def fits(requirement: str, version: str) -> bool:
    """Whether a package of `version` is what is asked for; what is no version, or new, is."""
    from packaging.requirements import Requirement
    from packaging.version import InvalidVersion, Version

    try:
        known = Version(version)
    except InvalidVersion:
        return True
    return Requirement(requirement).specifier.contains(known, prereleases=True)


def version_of(requirement: str) -> str | None:
    """The version that is installed; None where there is none, or it is not known."""
    from importlib import metadata

    from packaging.requirements import Requirement

    try:
        return metadata.version(Requirement(requirement).name)
    except metadata.PackageNotFoundError:
        return None
