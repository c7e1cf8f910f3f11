"""The task of pix2pix."""

from __future__ import annotations

from consingan.methods.contract import Task

TASKS: dict[str, Task] = {
    "translation": Task(
        output="translation",
        summary="photographs from new drawings or layouts, learned from one pair",
        takes=("naive",),
    ),
}
