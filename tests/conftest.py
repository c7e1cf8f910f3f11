"""What all tests share: one thread, so that results do not depend on the machine's cores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from drawings import draw_once
from helpers import Launcher, save_picture, train_folder
from hypothesis import settings

from consingan.outputs import finisher
from consingan.training import plan

# The same examples every time: a check that fails now and then says nothing.
settings.register_profile("checks", derandomize=True, deadline=None)
settings.load_profile("checks")
torch.set_num_threads(1)


def pytest_runtest_setup() -> None:
    """A test draws the same random numbers whatever ran before it in this process."""
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> Iterator[None]:
    """Curves of the same form are drawn once in a process."""
    with pytest.MonkeyPatch.context() as patch:
        draw_once(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def timed_briefly() -> Iterator[None]:
    """A dry run times the fewest iterations that it ever does, not those of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "TIMED_SECONDS", 0.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def finished_alike() -> Iterator[None]:
    """A finish takes patches of the usual size: to choose takes seconds for each model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finisher, "LARGER", ())
        yield


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """Runs main_train.py in processes that may be killed."""
    server = Launcher(tmp_path_factory.mktemp("launcher") / "log.txt")
    yield server
    server.close()


@pytest.fixture(scope="session")
def image_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small picture."""
    return save_picture(tmp_path_factory.mktemp("image") / "picture.png")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of three stages; copy it before changing anything."""
    return train_folder(tmp_path_factory.mktemp("finished")).path


@pytest.fixture(scope="session")
def harmonization_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished harmonization of three stages; copy it before changing anything."""
    return train_folder(tmp_path_factory.mktemp("harmonization"), train_mode="harmonization").path


@pytest.fixture(scope="session")
def one_stage_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished harmonization of one stage; copy it before changing anything."""
    root = tmp_path_factory.mktemp("one_stage")
    return train_folder(root, train_mode="harmonization", train_stages=1).path
