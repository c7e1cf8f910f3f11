"""The task of partial convolutions."""

from __future__ import annotations

from consingan.methods.contract import Task

TASKS: dict[str, Task] = {
    "inpainting": Task(
        output="fill",
        summary="a hole (--mask) is filled by a network trained on what is known around it",
        needs=("mask",),
    ),
}
