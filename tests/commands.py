"""The commands run in this process, small pictures to run them on, and tiny trained runs."""

from __future__ import annotations

import atexit
import functools
import shlex
import shutil
import tempfile
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from PIL import Image

from consingan import cli

TINY = shlex.split(
    "--train_stages 2 --min_size 16 --max_size 32 --niter 2 --nfc 4 --manualSeed 1 "
    "--device cpu --precision float32 --no_tensorboard"
)
HEIGHT, WIDTH = 40, 56  # px of the pictures; they are trained at 23x32
TRAINED = (23, 32)
OBJECT = (slice(10, 22), slice(20, 36))  # rows and columns of what is pasted in


def main_train(*arguments: object) -> Result:
    return _invoke(cli.train, arguments)


def evaluate_model(*arguments: object) -> Result:
    return _invoke(cli.evaluate, arguments)


def _invoke(command, arguments) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def scene(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """(height, width, 3) uint8: a gradient with texture, without symmetry."""
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    pixels = np.stack([rows, columns, 0.5 + 0.3 * np.sin(9 * rows * columns)], 2)
    pixels += rng.normal(0, 0.06, pixels.shape)
    return (pixels.clip(0, 1) * 255).astype(np.uint8)


def naive_scene(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """The scene with a rectangle that does not belong."""
    pixels = np.asarray(Image.fromarray(scene()).copy())
    pixels = pixels.copy()
    pixels[OBJECT] = (250, 20, 200)
    return np.asarray(Image.fromarray(pixels).resize((width, height)))


def mask_of_scene() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[OBJECT] = 255
    return mask


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def only_run(root: Path) -> Path:
    """The one run below `root`."""
    (manifest,) = root.glob("*/*/manifest.json")
    return manifest.parent


def files_below(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


@functools.cache
def _home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="consingan-tests-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


@functools.cache
def trained(mode: str, *more: str) -> Path:
    """A finished tiny run, made once; read it, or take a `copy_of_run`."""
    root = _home() / f"{mode}{'_'.join(more)}".replace("/", "_")
    picture = save(root / "scene.png", scene())
    result = main_train(
        "--input_name", picture, "--train_mode", mode, *TINY, "--output_dir", root / "runs", *more
    )
    assert result.exit_code == 0, result.output
    return only_run(root / "runs")


def copy_of_run(mode: str, folder: Path, *more: str) -> Path:
    run = trained(mode, *more)
    return Path(shutil.copytree(run, folder / run.name))
