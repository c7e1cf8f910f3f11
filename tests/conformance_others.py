"""Arrays that reference programs of other methods computed, for the tests of conformance."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

OWN = Path(__file__).parent / "data" / "conformance_others"
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def case(name: str) -> dict[str, Tensor]:
    """All arrays of `<name>.npz`, of the folder CONFORMANCE_OTHERS_DIR or of the project's copy."""
    folder = Path(os.environ.get("CONFORMANCE_OTHERS_DIR") or OWN)
    with np.load(folder / f"{name}.npz") as file:  # a missing file fails the test
        return {key: torch.from_numpy(np.array(file[key])) for key in file.files}


def near(actual: Any, expected: Tensor, **tolerance: float) -> None:
    """Equal up to another program's rounding."""
    actual = torch.as_tensor(actual).detach()
    expected = expected.reshape(actual.shape) if expected.dim() == 0 else expected
    torch.testing.assert_close(actual, expected.to(actual.dtype), **{**CLOSE, **tolerance})
