"""Pictures about pictures: grids, labelled sheets, loss curves, animations."""

from __future__ import annotations

import contextlib
import csv
import errno
import itertools
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from consingan.engine import LOSSES
from consingan.errors import UserError
from consingan.files import atomic_path
from consingan.images import Pixels, to_pixels

GAP = 4  # px between the pictures of a grid
LABEL_HEIGHT = 18  # px for a line of text
VIDEO_SUFFIXES = (".gif", ".webp", ".mp4")


def grid(pictures: Sequence[Tensor], columns: int | None = None) -> Tensor:
    """Put pictures (1, 3, h, w) in [-1, 1] of one size into rows on white: (3, H, W)."""
    count = len(pictures)
    columns = columns or min(count, 4)
    rows = -(-count // columns)
    _, channels, height, width = pictures[0].shape
    sheet = torch.ones(channels, rows * (height + GAP) - GAP, columns * (width + GAP) - GAP)
    for index, picture in enumerate(pictures):
        top = (index // columns) * (height + GAP)
        left = (index % columns) * (width + GAP)
        sheet[:, top : top + height, left : left + width] = picture[0].detach().float().cpu()
    return sheet


def labelled(
    pictures: Sequence[Tensor], labels: Sequence[str], columns: int | None = None
) -> Pixels:
    """The same with a line of text above each picture, as (H, W, 3) uint8."""
    from PIL import Image, ImageDraw

    framed = []
    for picture, label in zip(pictures, labels, strict=True):
        pixels = to_pixels(picture)
        canvas = Image.new("RGB", (pixels.shape[1], pixels.shape[0] + LABEL_HEIGHT), "white")
        canvas.paste(Image.fromarray(pixels), (0, LABEL_HEIGHT))
        ImageDraw.Draw(canvas).text((3, 3), label, fill="black")
        framed.append(torch.from_numpy(np.asarray(canvas) / 127.5 - 1).permute(2, 0, 1)[None])
    return to_pixels(grid(framed, columns))


def read_curves(folder: Path) -> list[dict[str, np.ndarray[Any, Any]]]:
    """Curves of a run's finished stages: for each stage, loss -> (iterations,).

    Nothing, and a warning, where a file is damaged: curves are worth looking at, not failing for.
    """
    curves: list[dict[str, np.ndarray[Any, Any]]] = []
    while (path := folder / str(len(curves)) / "losses.csv").is_file():
        try:
            curves.append(_read_table(path))
        except (OSError, ValueError) as error:
            warnings.warn(
                f"{path} is damaged ({error}), so that no curves are drawn.", stacklevel=2
            )
            return []
    return curves


def _read_table(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of a stage's losses.csv.

    Raises:
        ValueError: it is not what a training writes.
    """
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    if not set(LOSSES) <= set(names):
        raise ValueError("it lacks some losses")
    values = np.array(rows, dtype=np.float64).reshape(-1, len(names))
    return {name: values[:, i] for i, name in enumerate(names)}


def curves_figure(curves: Sequence[dict[str, np.ndarray[Any, Any]]]) -> Any:
    """A matplotlib figure of all losses over all iterations, stages marked by lines."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    critic, reconstruction = figure.subplots(2, 1, sharex=True)
    start = 0
    colors = {"d_real": "C0", "d_fake": "C1", "gradient_penalty": "C2", "g_adversarial": "C3"}
    for stage, losses in enumerate(curves):
        steps = np.arange(start, start + len(losses["d_real"]))
        for name, color in colors.items():
            label = name.replace("_", " ") if stage == 0 else None
            critic.plot(steps, losses[name], color=color, linewidth=0.7, label=label)
        reconstruction.plot(steps, losses["g_reconstruction"], color="C4", linewidth=0.7)
        start += len(steps)
        for axis in (critic, reconstruction):
            axis.axvline(start, color="0.8", linewidth=0.8)
        reconstruction.annotate(
            f"stage {stage + 1}", (start, 0.98), xycoords=("data", "axes fraction"),
            ha="right", va="top", fontsize=7,
        )  # fmt: skip
    critic.set_ylabel("adversarial losses")
    critic.legend(fontsize=7, loc="upper right")
    reconstruction.set_ylabel("reconstruction loss")
    reconstruction.set_xlabel("iteration")
    if any((c["g_reconstruction"] > 0).any() for c in curves):
        reconstruction.set_yscale("log")
    return figure


def save_curves(folder: Path) -> None:
    """Draw `losses.png` from the curves of the run in `folder`."""
    curves = [c for c in read_curves(folder) if len(c["d_real"])]
    if not curves:
        return
    with atomic_path(folder / "losses.png") as temporary:
        curves_figure(curves).savefig(temporary, format="png", dpi=110)


def write_animation(path: Path, frames: Iterable[Tensor], fps: float) -> None:
    """Write frames (1, 3, h, w) in [-1, 1] as GIF, animated WebP or MP4, by the suffix of `path`.

    Raises:
        UserError: the suffix is unknown, or MP4 is asked for without imageio-ffmpeg.
    """
    suffix = path.suffix.lower()
    if suffix not in VIDEO_SUFFIXES:
        raise UserError(f"{path.name}: animations are written as gif, webp or mp4.")
    if suffix == ".mp4":
        require_ffmpeg()
    pixels = (to_pixels(frame) for frame in frames)
    with atomic_path(path) as temporary:
        if suffix == ".mp4":
            _write_mp4(temporary, pixels, fps)
        else:
            import imageio.v3 as iio

            options: dict[str, Any] = {"duration": round(1000 / fps), "loop": 0}
            film = np.stack([*pixels])
            iio.imwrite(temporary, film, plugin="pillow", extension=suffix, **options)


def _write_mp4(path: Path, frames: Iterator[np.ndarray[Any, Any]], fps: float) -> None:
    """Write frame by frame, without the odd row or column: a long film does not fit into memory."""
    import imageio_ffmpeg

    first = next(frames, None)
    if first is None:
        raise ValueError("a film needs at least one frame")
    height, width = (side // 2 * 2 for side in first.shape[:2])
    writer = imageio_ffmpeg.write_frames(
        path, (width, height), fps=fps, macro_block_size=2,
        output_params=["-f", "mp4"],  # the temporary file's name does not say it
    )  # fmt: skip
    count = 0
    with contextlib.closing(writer):
        writer.send(None)
        for frame in itertools.chain([first], frames):
            pixels = np.ascontiguousarray(frame[:height, :width])
            with _failure_of_ffmpeg(path):
                writer.send(pixels)
            count += 1
    with _failure_of_ffmpeg(path):  # what fails at the very end is not told
        if imageio_ffmpeg.count_frames_and_secs(str(path))[0] != count:
            raise RuntimeError("frames are missing")


@contextlib.contextmanager
def _failure_of_ffmpeg(path: Path) -> Iterator[None]:
    """Say in a sentence that a film could not be written; ffmpeg itself has said why."""
    try:
        yield
    except (OSError, RuntimeError):
        raise OSError(errno.EIO, "ffmpeg failed; is the disk full?", str(path)) from None


def require_ffmpeg() -> None:
    """Make sure that MP4 can be written.

    Raises:
        UserError: the optional package is missing.
    """
    try:
        import imageio_ffmpeg  # noqa: F401
    except ImportError:
        raise UserError(
            "MP4 needs the package imageio-ffmpeg; run: pip install imageio-ffmpeg "
            "(or choose gif or webp)."
        ) from None
