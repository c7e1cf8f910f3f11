"""Packages that not everybody has are used in the versions that work, else one is told of them."""

from __future__ import annotations

import pytest

from consingan.errors import UserError
from consingan.machine import extras

TOLD = 'Films need ray 2.9 or newer; run: pip install "ray>=2.9" (or wait).'


def imported(error: Exception | None = None) -> bool:
    """Whether the block is worked on to its end."""
    with extras.needed("ray>=2.9", "Films need", " (or wait)"):
        if error:
            raise error
        return True


@pytest.mark.parametrize("version", ["2.9", "2.10.1", "3.0.0rc1", "2.60+local", "unknown", None])
def test_a_version_that_fits_or_is_not_known_is_taken(
    monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    monkeypatch.setattr(extras, "version_of", lambda _: version)
    assert imported()


@pytest.mark.parametrize(("version", "error"), [("2.8.1", None), (None, ImportError("ray"))])
def test_a_version_that_is_missing_or_too_old_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, version: str | None, error: Exception | None
) -> None:
    monkeypatch.setattr(extras, "version_of", lambda _: version)
    with pytest.raises(UserError) as told:
        imported(error)
    assert str(told.value) == TOLD


def test_a_package_that_is_there_and_broken_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "version_of", lambda _: "2.60")
    with pytest.raises(UserError, match=r"ray 2.60, which is here, cannot be imported \(no lib\)"):
        imported(ImportError("no lib", name="ray._raylet"))
    with pytest.raises(UserError, match=r"ray 2.9 or newer"):
        imported(ImportError("left over", name="ray"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("libx.so.3: cannot open shared object file"), "libx.so.3: cannot open"),
        (AttributeError("no attribute\n\nHelp:"), r"no attribute\)"),
        (SyntaxError("source code string cannot contain null bytes"), ".* null bytes"),
        (RuntimeError(), r"RuntimeError\)"),
    ],
)
def test_whatever_a_broken_package_raises_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    monkeypatch.setattr(extras, "version_of", lambda _: "2.60")
    with pytest.raises(UserError, match=rf"ray 2.60, .* cannot be imported \({reason}"):
        imported(error)


def test_too_little_memory_is_not_the_packages_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "version_of", lambda _: "2.60")
    with pytest.raises(MemoryError):
        imported(MemoryError())
