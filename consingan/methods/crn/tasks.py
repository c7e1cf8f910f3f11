"""The task of cascaded refinement."""

from __future__ import annotations

from consingan.methods.contract import Task

TASKS: dict[str, Task] = {
    "translation": Task(
        output="translation",
        summary="photographs from new layouts of labels, learned from one pair",
        takes=("naive",),
    ),
}
