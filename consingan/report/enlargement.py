"""How a report shows an enlarged picture."""

from __future__ import annotations

from typing import Any

from consingan.outputs.enlargement import Enlargement
from consingan.report import figures
from consingan.report.material import Material
from consingan.report.style import picture


def look_at_enlargement(material: Material) -> str:
    """The training image, plain bicubic and the enlarged picture, and the truth if there is one."""
    made: Enlargement | None = material.made
    pictures = [("training image", material.real)]
    if made is not None:
        said = [f", PSNR {s.psnr:.1f} dB, SSIM {s.ssim:.2f}" for s in made.scores] or ["", ""]
        pictures += [(f"bicubic{said[1]}", made.bicubic), (f"enlarged{said[0]}", made.picture)]
        if made.truth is not None:
            pictures.append(("truth", made.truth))
    images = [picture(figures.data_uri(tensor), name, name) for name, tensor in pictures]
    return f'<div class="grid roomy">{"".join(images)}</div>'


def figures_of_enlargement(made: Any) -> dict[str, Any]:
    """For metrics.json."""
    if made is None or not made.scores:
        return {}
    named = zip(("enlarged", "bicubic"), made.scores, strict=True)
    return {"to_truth": {name: {"psnr": s.psnr, "ssim": s.ssim} for name, s in named}}
