"""Of a gray picture Python gives what the files hold, whatever colors a method trains with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import evaluate_model, pixels_of, save, scene
from PIL import Image, ImageSequence

import consingan
from consingan.images.io import to_pixels
from consingan.methods.contract import Reconstructs
from consingan.methods.registry import METHODS
from consingan.report.gather import gather
from consingan.runs.load import load_run
from consingan.settings.reading import RGB

WORDS = {
    "samples": ("--num_samples", 1, "--one_size"),
    "film": ("--frames", 3, "--beta", 0.9, "--start_stage", 0),
    "enlargement": (),
    "composite": (),
}
CASES = {
    (method.name, row.output): task
    for method in METHODS.values()
    for task, row in reversed(method.tasks.items())
    if row.channels == (RGB,) and row.output in WORDS and not row.needs
}
"""One task for each output of each method that trains gray pictures as colored ones."""


def is_gray(pixels: Any) -> bool:
    return bool((pixels[..., :1] == pixels).all())


@pytest.mark.parametrize(("method", "output"), CASES)
def test_python_gives_what_the_files_hold(method: str, output: str, tmp_path: Path) -> None:
    row, task = METHODS[method], CASES[method, output]
    image = save(tmp_path / "gray.png", scene()[..., 2])
    trained = consingan.train(
        image, method=method, train_mode=task, output_dir=tmp_path, device="cpu", **row.trial
    )
    assert trained.folder is not None
    done = evaluate_model("--model_dir", trained.folder, "--no_metrics", *WORDS[output])
    assert done.exit_code == 0, done.output
    folder, model = trained.folder / "Evaluation", consingan.load(trained.folder, device="cpu")

    pairs = []
    if isinstance(model.model, Reconstructs):
        pairs.append((model.reconstruction(), folder / "reconstruction.png"))
        judged = gather(load_run(trained.folder)).reconstruction
        assert judged is not None
        assert is_gray(to_pixels(judged))
    if output == "samples":
        pairs.append((model.sample(1), folder / "random_samples" / "gen_sample_0.png"))
    if output == "enlargement":
        pairs.append((model.enlarge(), folder / "enlarged.png"))
    for made, file in pairs:
        assert is_gray(to_pixels(made))
        np.testing.assert_array_equal(to_pixels(made), pixels_of(file))
    if output == "film":
        assert all(is_gray(to_pixels(frame)) for frame in model.animate(3))
        (film,) = (folder / "animations").glob("*.gif")
        with Image.open(film) as frames:
            for frame in ImageSequence.Iterator(frames):
                assert is_gray(np.asarray(frame.convert("RGB")))
