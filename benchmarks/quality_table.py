"""The table of `benchmarks.quality`: figures per image and on average, beside the paper's."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Record = dict[str, Any]

COLUMNS = {
    "swd": "SWD ↓",
    "coherence": "coherence ↓",
    "completeness": "completeness ↓",
    "copied": "copied ↓",
    "new_texture": "new texture ↓",
    "diversity": "diversity ↑",
    "ms_ssim": "MS-SSIM ↓",
    "sifid": "SIFID ↓",
    "sifid_64": "SIFID 64 pooled ↓",
    "sifid_192": "SIFID 192 pooled ↓",
    "psnr": "PSNR ↑",
    "minutes": "minutes",
}
"""Figures of the table by name; those that no picture has are left out."""

PAPER = (
    ("Places, 50 images", "ConSinGAN", "0.06 ± 0.03", "0.50", "24", "0.66 M"),
    ("Places, 50 images", "SinGAN", "0.09 ± 0.07", "0.52", "152", "1.34 M"),
    ("LSUN, 50 images", "ConSinGAN", "0.11 ± 0.06", "0.54", "20", "0.66 M"),
    ("LSUN, 50 images", "SinGAN", "0.23 ± 0.15", "0.64", "135", "1.0 M"),
)
"""Hinz et al. 2021, at 250 px on one GTX 1080 Ti: SIFID is of 64 channels, not pooled."""


def figure(record: Record, name: str) -> float | None:
    """One figure of a picture: a metric's mean over samples, or what the picture has once."""
    if name == "minutes":
        return record.get("minutes")
    if name == "psnr":
        return (record.get("reconstruction") or {}).get("psnr")
    return record.get("metrics", {}).get(name, {}).get("mean")


def averages(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over the pictures, of each figure that some have."""
    found = {}
    for name in COLUMNS:
        values = [v for r in records if (v := figure(r, name)) is not None]
        if values:
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            found[name] = {"mean": statistics.mean(values), "std": spread, "images": len(values)}
    return found


def markdown(records: Sequence[Record], samples: int, settings: Mapping[str, Any]) -> str:
    """The table for people, the paper's figures below it."""
    average = averages(records)
    given = ", ".join(f"{k} {v}" for k, v in settings.items()) or "the defaults"
    lines = ["# Quality", "", f"{samples} samples of each image; settings: {given}.", ""]
    lines += _table(["image", *(COLUMNS[name] for name in average)], _rows(records, average))
    failed = [r for r in records if "error" in r]
    lines += ["", *(f"- {r['image']} failed: {r['error']}" for r in failed)]
    lines += ["", "## The paper", ""]
    lines += _table(["data", "model", "SIFID ↓", "diversity ↑", "minutes", "parameters"], PAPER)
    lines += [
        "",
        "Hinz et al., Improved Techniques for Training Single-Image GANs (2021): 250 px, minutes "
        "on one GTX 1080 Ti, averages over images that need not be those above. SIFID needs "
        "--inception_weights.",
    ]
    return "\n".join(lines) + "\n"


def _rows(
    records: Sequence[Record], average: Mapping[str, Mapping[str, float]]
) -> Iterator[list[str]]:
    for record in records:
        if "error" not in record:
            values = (figure(record, name) for name in average)
            yield [record["image"], *("–" if v is None else f"{v:.3g}" for v in values)]
    if average:
        cells = (f"{v['mean']:.3g} ± {v['std']:.2g}" for v in average.values())
        yield ["**mean ± std over images**", *cells]


def _table(head: Sequence[str], rows: Any) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(_escaped(cell) for cell in line) + " |" for line in lines]


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
