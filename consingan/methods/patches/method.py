"""Patch diffusion as the program knows it: Qiu et al., CVPR 2026. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from consingan.methods import pairs
from consingan.methods.contract import Method
from consingan.methods.pairs import condition_label
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.presets import PRESETS
from consingan.methods.patches.tasks import TASKS
from consingan.settings import hole

FROM_NOISE = ("generation", "retarget")
PAIR = "translation"
SHARES = ("balance", "sw_steps")


def label(config: PatchesConfig) -> str:
    """Name of a run's folder after its date."""
    words = [config.train_mode, "patches", str(config.patch)]
    words += [condition_label(config)] if config.train_mode == PAIR else []
    tile, symmetric = config.formed
    words += [f"tile_{tile}"] if tile != "none" else []
    words += [f"symmetric_{symmetric}"] if symmetric != "none" else []
    return "_".join(words)


def idle(config: PatchesConfig) -> Iterator[tuple[str, str]]:
    """Settings that change nothing beside the others."""
    yield "niter", "where nothing is trained"
    here = f"with --train_mode {config.train_mode}"
    if why := _why_no_fit(config):
        yield "fit", why
    if not TASKS[config.train_mode].takes_naive or config.train_mode == PAIR:
        yield "keep", here
    if config.train_mode in (*FROM_NOISE, "inpainting", PAIR):
        yield "level", here
    yield from ((name, here) for name in ("condition", "guidance") if config.train_mode != PAIR)
    if config.train_mode == PAIR:
        yield "naive_img", "in a training of a pair; a new A is for an evaluation"
        yield from ((name, here) for name in ("tile", "symmetric", "mask"))
    elif config.train_mode not in FROM_NOISE:
        shares = () if config.train_mode == "analogy" else SHARES
        yield from ((name, here) for name in ("tile", "symmetric", *shares))
    if not config.layered:
        tiled = f"with --tile {config.tile}, which has no top"
        yield "rows", tiled if config.wraps[0] else here
    if not TASKS[config.train_mode].stretched:
        yield "loosen", here
    elif not config.loosen:
        yield from ((name, "without --loosen") for name in SHARES)


def _why_no_fit(config: PatchesConfig) -> str:
    if config.train_mode == PAIR:
        return "for a pair"
    if not config.naive_img:
        return "without --naive_img"
    if TASKS[config.train_mode].own_shape:
        return f"with --train_mode {config.train_mode}: the result has the naive image's shape"
    return ""


def pictures_of(config: PatchesConfig) -> dict[str, str]:
    """A hole, and A of a pair; see `contract.Method.pictures`."""
    if config.train_mode == PAIR:
        return pairs.pictures_of(config)
    return hole.pictures_of(config)


def _by_layout(config: PatchesConfig) -> str:
    """What makes more of a stretched layout anew; "" where no more can be, as without one.

    As long as it is kept, a larger coarsest scale is more of the picture that is kept.
    """
    if not TASKS[config.train_mode].stretched or config.loosen == 1:
        return ""
    lower = not config.loosen and config.min_side > config.patch
    smaller = f" or lower --min_side (now {config.min_side})" if lower else ""
    return f"raise --loosen (now {config.loosen:g}){smaller}."


def _less_copied(config: PatchesConfig) -> str:
    if ways := _by_layout(config):
        return ways.capitalize()
    return f"Raise --min_side (now {_min_side(config)}) or --balance."


def _more_variety(config: PatchesConfig) -> str:
    if ways := _by_layout(config):
        return f"for more variety {ways}"
    decides = config.layered and config.rows
    rows = f"lower --rows (now {config.rows:g}) or " if decides else ""
    return f"for more variety {rows}raise --min_side (now {_min_side(config)})."


def _min_side(config: PatchesConfig) -> str:
    return str(config.min_side or "by the task")


def _level(way: str, end: float) -> Callable[[PatchesConfig], str]:
    """Advice to move `--level` towards `end`, where it does something and is not there yet."""

    def advice(config: PatchesConfig) -> str:
        if config.level == end or "level" in (name for name, _ in idle(config)):
            return ""
        return f"{way} --level, now {config.level:g}."

    return advice


def level_advice(config: PatchesConfig) -> str:
    """How more or less is made anew; "" where `level` does nothing."""
    if "level" in dict(idle(config)):
        return ""
    return (
        f"How much is made anew is the training's --level (now {config.level:g}): train with "
        "another one; nothing is learned, it takes a second."
    )


REMEDIES = {
    "copies": _less_copied,
    "alike": _more_variety,
    "texture": lambda config: f"Raise --patch, now {config.patch}.",
    "memory": lambda _: "use a smaller --max_size or --size.",
    "still": _level("Raise", 1),
    "fits": _level("Raise", 1),
    "misfits": _level("Lower", 0),
}

# What comes in has a layout already: smaller patches than 15 px keep more of it, and one step of
# balance does beside the transport what three do without it; without any some things come twice.
FINISHING = {"patch": 9, "balance": 1, "sw_steps": 2}

PATCHES = Method(
    name="patches",
    title="Training-free patch diffusion",
    paper="Qiu, Kutulakos, Lindell: Efficient and Training-Free Single-Image Diffusion Models, "
    "CVPR 2026",
    summary="the picture's own patches are the model: nothing is trained, a picture in seconds",
    config=PatchesConfig,
    tasks=TASKS,
    presets=PRESETS,
    label=label,
    code="consingan.methods.patches.setup",
    engines={
        "auto": "exact for the smallest pictures, else fast",
        "exact": "every patch at every step, as published",
        "fused": "the same as one attention, without the matrix of scores",
        "fast": "ten patches for each window, carried from scale to scale",
    },
    remedies=REMEDIES,
    idle=idle,
    trial={"max_size": 24, "patch": 5, "condition": "colors:64"},
    finishing=FINISHING,
    pictures=pictures_of,
)
