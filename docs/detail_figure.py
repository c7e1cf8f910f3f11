"""Draw docs/images/detail.jpg: composites at full size, enlarged alone and with fine detail.

python docs/detail_figure.py    # nothing is trained; some seconds
"""

from __future__ import annotations

from make_figures import FOLDER, PICTURES, column, row
from PIL import Image
from torch import Tensor

import consingan
from consingan.images.io import read_image
from consingan.images.mask_files import find_mask, read_mask
from consingan.images.masks import soften
from consingan.metrics.inside import box

AROUND = 12  # px widened and softened
SIZE = 120  # px of the training, so that there is something to see


def of_set(task: str, name: str, details: tuple[str, ...]) -> Image.Image:
    """The changed part of a set's naive image and of its results."""
    file = PICTURES / task.capitalize() / f"{name}.jpg"
    own = file.with_name(f"{name}_naive.jpg")
    naive, found = read_image(own), find_mask(own)
    assert found is not None, f"{own} has a mask beside it"
    mask = read_mask(found, (naive.shape[-2], naive.shape[-1]))
    model = consingan.train(
        file, method="patches", train_mode=task, max_size=SIZE, manual_seed=0, device="cpu"
    )
    rows, columns = box((soften(mask, AROUND, 0) > 0).float(), AROUND)
    made: list[Tensor] = [model.compose(naive, mask, detail=detail) for detail in details]
    labels = ["naive image", *(f"--detail {detail}" for detail in details)]
    return row([picture[..., rows, columns] for picture in (naive, *made)], labels)


def main() -> None:
    """Write the picture."""
    painted = of_set("harmonization", "starry_village", ("none", "own", "both"))
    moved = of_set("editing", "trees_on_hill", ("none", "own", "image"))
    column([painted, moved]).save(FOLDER / "detail.jpg", quality=88, optimize=True)


if __name__ == "__main__":
    main()
