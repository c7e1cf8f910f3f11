"""The tasks of DCGAN."""

from __future__ import annotations

from consingan.methods.contract import Task

TASKS: dict[str, Task] = {
    "generation": Task(output="samples", summary="pictures like small crops of the image"),
    "animation": Task(output="film", summary="a way from one such picture to the next"),
}
