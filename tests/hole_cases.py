"""A small picture with a hole, as files, and trainings on it that take a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from commands import HEIGHT, WIDTH, save, scene

HOLE = (slice(16, 24), slice(30, 40))  # rows and columns
TINY: dict[str, dict[str, Any]] = {
    "partial_conv": {"niter": 2, "width": 2, "levels": 2, "features": "patches", "max_size": 64},
    "consingan": {"train_stages": 2, "niter": 2, "nfc": 4, "max_size": 40, "min_size": 16},
}


def hole_mask() -> np.ndarray:
    """(HEIGHT, WIDTH) uint8, white inside."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[HOLE] = 255
    return mask


def holed_scene(color: tuple[int, int, int]) -> np.ndarray:
    """The scene with something in its hole."""
    pixels = scene().copy()
    pixels[HOLE] = color
    return pixels


def files(folder: Path, color: tuple[int, int, int] = (255, 0, 0)) -> dict[str, str]:
    """`input_name` and `mask` of a picture with a hole of that color."""
    image, mask = folder / "holed.png", folder / "hole.png"
    save(image, holed_scene(color))
    save(mask, np.repeat(hole_mask()[:, :, None], 3, 2))
    return {"input_name": str(image), "mask": str(mask)}
