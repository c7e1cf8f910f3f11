"""Tiny runs of earlier releases, and what they gave then, in tests/data/runs/<format>/.

    pictures/       the training image, the same with something pasted in, the mask of that
    <name>/         a run's folder, as a user has it
    <name>.npz      what the run gave: pictures, files of an evaluation, weights at the end

`python tests/stored_runs.py FOLDER` makes such runs with the present release in a new
folder; README.md there says when. Those that are stored are never made anew.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

TESTS = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(TESTS.parent))

from commands import (  # noqa: E402
    evaluate_model,
    files_below,
    main_train,
    mask_of_scene,
    naive_scene,
    only_run,
    pixels_of,
    save,
    scene,
)

import consingan  # noqa: E402

FOLDER = TESTS / "data" / "runs"
ON_ANY_MACHINE: dict[str, Any] = {"device": "cpu", "precision": "float32"}
WIDE = (16, 34)  # px, (h, w): a sample of another size

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """How a stored run was made.

    Attributes:
        settings: of the training, beside `FEW`.
        base: name of the run that it fine-tunes.
        stop_after: iterations of all stages together after which it was interrupted.
    """

    settings: dict[str, Any]
    base: str = ""
    stop_after: int = 0


FEW: dict[str, Any] = {"train_stages": 2, "min_size": 12, "max_size": 24, "nfc": 8}
FEW |= {"num_layer": 2, "niter": 4, "manualSeed": 7}
OF_THE_NETWORK = ("train_stages", "min_size", "max_size", "nfc", "num_layer")
KINDS = {
    "generation": Kind({"train_stages": 3}),
    "retarget": Kind({"train_mode": "retarget", "batch_norm": True, "num_layer": 3}),
    "animation": Kind({"train_mode": "animation", "activation": "prelu", "manualSeed": 8}),
    "harmonization": Kind({"train_mode": "harmonization"}),
    "fine_tuned": Kind(
        {"train_mode": "harmonization", "niter": 52, "lr_g": 1e-4, "lr_d": 1e-4, "Gsteps": 1},
        base="harmonization",
    ),
    "interrupted": Kind({"train_mode": "editing", "niter": 8}, stop_after=10),
}
SNAPSHOT = 50  # iteration of the fine-tuned run


# What a run gives


def composes(run: Path) -> bool:
    """Whether the run at `run` works on a picture of the user's own."""
    mode = json.loads((run / "config.json").read_text())["train_mode"]
    return mode in ("harmonization", "editing")


def pictures_of(run: Path, pictures: Path) -> Arrays:
    """What the Python API makes with a run, (1, 3, h, w) in [-1, 1] each; nothing is written."""
    model = consingan.load(run, **ON_ANY_MACHINE)
    made = {
        "reconstruction": model.reconstruction(),
        "sample": model.sample(2, seed=3)[1:],
        "wide_sample": model.sample(1, size=WIDE, seed=3),
        "frame": list(model.animate(3, start_stage=0, seed=2))[-1],
    }
    if composes(run):
        mask = (tensor(pictures / "pasted_mask.png")[:, :1] + 1) / 2
        pasted = tensor(pictures / "pasted.png")
        made["composite"] = model.compose(pasted, mask, seed=5, detail="none")  # as published
    return {name: picture.numpy() for name, picture in made.items()}


def tensor(path: Path) -> Tensor:
    """The pixels of a picture, (1, 3, h, w) in [-1, 1]."""
    pixels = torch.from_numpy(pixels_of(path).astype(np.float32))
    return (pixels / 127.5 - 1).permute(2, 0, 1)[None]


def evaluate(run: Path, pictures: Path, *more: object) -> Path:
    """Make all kinds of results with `evaluate_model.py`; returns their folder."""
    own = ["--naive_img", pictures / "pasted.png"] if composes(run) else []
    few = [] if own else ["--num_samples", 2, "--frames", 2]
    where = ["--device", "cpu", "--precision", "float32"]
    result = evaluate_model("--model_dir", run, "--no_metrics", *where, *own, *few, *more)
    assert result.exit_code == 0, result.output
    return run / "Evaluation"


def finished(run: Path) -> bool:
    """Whether the run at `run` was trained to its end."""
    status = json.loads((run / "manifest.json").read_text())["status"]
    return bool(status == "finished")


def take_back(run: Path) -> None:
    """Let a finished run be one whose last stage was not begun, or of a fine-tuning none."""
    manifest = json.loads((run / "manifest.json").read_text())
    last, fine_tuned = manifest["finished_stages"] - 1, (run / "start.safetensors").exists()
    if fine_tuned:
        (run / str(last) / "weights.safetensors").unlink()
        shutil.rmtree(run / "snapshots")
    else:
        shutil.rmtree(run / str(last))
    manifest |= {"status": "interrupted", "finished_stages": 0 if fine_tuned else last}
    (run / "manifest.json").write_text(json.dumps(manifest))


def resume(run: Path) -> None:
    """Train the run at `run` to its end."""
    result = main_train("--resume", "--model_dir", run, "--no_tensorboard")
    assert result.exit_code == 0, result.output


def end_of(run: Path) -> Arrays:
    """What a finished run has learned: the networks' tensors by name and the reconstruction.

    Without the convolutions' biases. Before a normalization they have no effect, and in the
    discriminator what they do to the real and to the fake picture may cancel: their gradient is
    then rounding, of which Adam makes steps as large as any.
    """
    last = max(int(file.parent.name) for file in run.glob("*/weights.safetensors"))
    tensors = load_file(run / str(last) / "weights.safetensors")
    learned = {k: t.numpy() for k, t in tensors.items() if not k.endswith("conv.bias")}
    model = consingan.load(run, **ON_ANY_MACHINE)
    return learned | {"reconstruction": model.reconstruction().numpy()}


# Making them


def make(root: Path) -> None:
    """Train every kind of run and record what it gives, below the new folder `root`."""
    root.mkdir(parents=True)
    pictures = root / "pictures"
    save(pictures / "scene.png", scene())
    save(pictures / "pasted.png", naive_scene(height=20, width=28))
    save(pictures / "pasted_mask.png", mask_of_scene()[::2, ::2])
    os.chdir(pictures)  # what a run notes down of where it was made are names alone
    for name, kind in KINDS.items():
        train(name, kind)
        shutil.move(only_run(Path(name)), root / name)
        shutil.rmtree(name)
        record(root / name, pictures)
        tidy(root / name)


def train(name: str, kind: Kind) -> None:
    """Make a run below the folder `name`: by the command, or from Python if it is to be stopped."""
    settings = FEW | kind.settings
    if kind.stop_after:
        stop_in_mid_stage(name, kind, settings)
        return
    if kind.base:
        settings = {k: v for k, v in settings.items() if k not in OF_THE_NETWORK}
    words = [str(word) for key, value in settings.items() for word in (f"--{key}", value)]
    words = [word for word in words if word != "True"]
    words += ["--fine_tune", "--model_dir", f"../{kind.base}"] if kind.base else []
    words += ["--naive_img", "pasted.png"] if kind.base else []
    words = ["--input_name", "scene.png", *words, "--output_dir", name, "--no_tensorboard"]
    words += ["--threads", "1", "--device", "cpu", "--precision", "float32"]
    sys.argv = ["main_train.py", *words]
    result = main_train(*words)
    assert result.exit_code == 0, result.output


def stop_in_mid_stage(name: str, kind: Kind, settings: dict[str, Any]) -> None:
    """The same from Python, ended by Ctrl+C."""
    done = 0

    def watch(record: object) -> None:
        nonlocal done
        done += hasattr(record, "iteration")
        if done == kind.stop_after:
            signal.raise_signal(signal.SIGINT)

    torch.set_num_threads(1)
    settings["manual_seed"] = settings.pop("manualSeed")
    sys.argv = [""]
    try:
        consingan.train("scene.png", output_dir=name, callback=watch, **ON_ANY_MACHINE, **settings)
    except KeyboardInterrupt as stop:
        print(f"{name}: {stop}")


def record(run: Path, pictures: Path) -> None:
    """Write what the run gives beside it."""
    copy = Path(shutil.copytree(run, run.parent / "copy"))
    arrays = pictures_of(copy, pictures)
    results = evaluate(copy, pictures)
    arrays["files"] = np.array(files_below(results))
    if (copy / "snapshots").exists():
        results = evaluate(copy, pictures, "--iteration", SNAPSHOT)
        file = results / f"iteration_{SNAPSHOT}" / "harmonized_wo_mask.png"
        arrays["snapshot"] = pixels_of(file)
    if not finished(copy):
        resume(copy)
        arrays |= {f"end.{name}": array for name, array in end_of(copy).items()}
    np.savez_compressed(run.with_suffix(".npz"), **arrays)
    shutil.rmtree(copy)


def tidy(run: Path) -> None:
    """Remove what is only to be looked at, and the lock."""
    for name in ("losses.png", "reconstruction.png", "samples.png", "snapshots.png", ".lock"):
        for file in run.rglob(name):
            file.unlink()


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve())
