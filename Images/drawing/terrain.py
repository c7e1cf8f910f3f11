"""A camera over height fields: mountains and water seen in perspective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import Array, sample


@dataclass
class Camera:
    """A camera that looks along +z; ``focal`` and ``horizon`` are in pixels."""

    height: int
    width: int
    focal: float
    horizon: float
    altitude: float
    near: float
    far: float
    steps: int = 900

    def depths(self) -> Array:
        """Return the distances at which the ground is looked up."""
        return np.geomspace(self.near, self.far, self.steps).astype(np.float32)

    def ground(self) -> tuple[Array, Array]:
        """Return the (z, x) ground position of every depth and column."""
        z = self.depths()[:, None] * np.ones((1, self.width), np.float32)
        x = z * ((np.arange(self.width, dtype=np.float32) - self.width / 2) / self.focal)
        return z, x


@dataclass
class View:
    """What the camera sees: for every pixel a depth index, and whether it is ground at all."""

    index: Array
    hit: Array

    def look(self, field: Array) -> Array:
        """Bring a (depth, column) field, or its channels, onto the screen."""
        low = np.clip(np.floor(self.index).astype(int), 0, field.shape[0] - 2)
        t = np.clip(self.index - low, 0, 1)
        t = t if field.ndim == 2 else t[..., None]
        columns = np.arange(field.shape[1])[None, :]
        below, above = field[low, columns], field[low + 1, columns]
        return np.asarray(below + (above - below) * t, np.float32)


def view(camera: Camera, heights: Array) -> View:
    """Find the first ground along every pixel's ray; ``heights`` is a (depth, column) field."""
    rise = (heights - camera.altitude) / camera.depths()[:, None] * camera.focal
    horizon_line = np.maximum.accumulate(rise, axis=0)
    wanted = camera.horizon - np.arange(camera.height, dtype=np.float32)
    index = np.empty((camera.height, camera.width), np.float32)
    for column in range(camera.width):
        line = horizon_line[:, column]
        at = np.searchsorted(line, wanted)
        safe = np.clip(at, 1, camera.steps - 1)
        before, after = line[safe - 1], line[safe]
        index[:, column] = safe - 1 + np.clip((wanted - before) / (after - before + 1e-6), 0, 1)
        index[at >= camera.steps, column] = camera.steps
    return View(index=index, hit=(index < camera.steps).astype(np.float32))


def project(field: Array, z: Array, x: Array, scale: float) -> Array:
    """Read a tileable map at ground positions, ``scale`` map pixels per unit of length."""
    return sample(field, z * scale, x * scale)
