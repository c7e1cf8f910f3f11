"""Try out whether a training works here, and whether folders can be written."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from consingan.doctor.facts import GIB, in_words, shortened, without_home
from consingan.machine.graphs import NOT_RECORDED, WARM_UP
from consingan.machine.usual import one_thread
from consingan.nn.fused.choice import NOT_COMPILED

# So many iterations that a GPU records and repeats them.
SMALL: dict[str, Any] = {
    "train_stages": 2, "niter": WARM_UP + 2, "nfc": 8, "min_size": 16, "max_size": 32,
}  # fmt: skip
# As many channels as trainings have: kernels are compiled for a number of them, and kept.
COMPILED = {"nfc": 64}
SAME = 1e-6  # difference in [-1, 1] that loading a model may make: none but rounding


@dataclass(frozen=True)
class Check:
    """Something that must be right, in words."""

    words: str
    ok: bool = True


def folders(output_dir: Path) -> dict[str, Check]:
    """Whether the program can write where it has to."""
    checks = {"output": writable(output_dir)}
    try:
        checks["temporary"] = writable(Path(tempfile.gettempdir()))
    except FileNotFoundError:
        checks["temporary"] = Check("There is no writable temporary folder; set TMPDIR.", ok=False)
    return checks


def writable(folder: Path) -> Check:
    """Whether files can be made in `folder`, or in the one above where it does not exist yet."""
    name = shortened(folder)
    place = next(p for p in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(p))
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
        free = shutil.disk_usage(place).free / GIB
    except OSError as error:
        words = f"{name} cannot be written ({shortened(place)}: {error.strerror}); "
        return Check(words + "choose another place.", ok=False)
    state = "writable" if folder.exists() else "can be made"
    return Check(f"{name}: {state}, {free:.1f} GiB free")


def self_test(device: torch.device) -> Check:
    """Whether training a tiny model, sampling from it and loading it again works.

    That is a second of work, most of it for importing libraries; nothing is left behind.
    """
    start = time.perf_counter()
    try:
        with one_thread(), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            _train_and_load(device)
    except Exception as error:  # whatever is wrong with this machine belongs into the report
        return Check(f"The self test on {device} failed: {in_words(error)}", ok=False)
    seconds = time.perf_counter() - start
    words = f"ok: trained, sampled, saved and loaded on {device} in {seconds:.1f} s"
    said = (str(warning.message) for warning in warned)
    slow = [without_home(text) for text in said if text.startswith((NOT_RECORDED, NOT_COMPILED))]
    return Check(". ".join([words, *dict.fromkeys(slow)]))


def _train_and_load(device: torch.device) -> None:
    """Raise whatever goes wrong."""
    from consingan.api import trained
    from consingan.api.train import train

    sides = torch.linspace(-1, 1, 24), torch.linspace(-1, 1, 32)
    rows, columns = torch.meshgrid(*sides, indexing="ij")
    picture = torch.stack([rows, columns, torch.sin(8 * rows * columns)])[None]
    where = str(device)
    with tempfile.TemporaryDirectory(prefix="consingan-doctor-") as folder:
        settings = SMALL | (COMPILED if device.type == "cuda" else {})
        model = train(picture, output_dir=folder, device=where, **settings)
        made = model.sample(1, seed=1)
        if made.shape != (1, 3, *model.size) or not math.isfinite(float(made.sum())):
            raise RuntimeError(f"a sample of shape {tuple(made.shape)} is not a finite picture")
        if model.folder is None:
            raise RuntimeError("the run was not saved")
        again = trained.load(model.folder, device=where).sample(1, seed=1)
    difference = float((again - made).abs().max())
    if not difference <= SAME:
        raise RuntimeError(f"the loaded model's sample differs by {difference:.2g}")
