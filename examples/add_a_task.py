"""A task of one's own, painting to picture: blocks of flat color become the texture of the image.

python examples/add_a_task.py train --train_mode painting --input_name PICTURE
python examples/add_a_task.py evaluate --model_dir RUN --naive_img PAINTING
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.images.augment import shuffle_tiles
from consingan.methods.consingan.tasks import TASKS, Mode

LEVELS = 4  # of each color channel


def painted(image: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001 - a Source
    """Blocks of 4 x 4 px in few colors, (1, 3, h, w) in [-1, 1] as it came."""
    blocks = F.avg_pool2d(image, 4, ceil_mode=True)
    flat = torch.round((blocks + 1) / 2 * (LEVELS - 1)) / (LEVELS - 1) * 2 - 1
    return F.interpolate(flat, scale_factor=4.0)[..., : image.shape[-2], : image.shape[-1]]


def rearranged(image: Tensor, rng: torch.Generator) -> Tensor:
    """The same with some tiles elsewhere: users paint what the image does not show."""
    return painted(shuffle_tiles(image, rng), rng)


TASKS["painting"] = Mode(
    summary="flat colors become the texture of the image",
    border="zero",  # the picture that comes in has no frame of noise
    spacing="geometric",
    anchor=painted,  # from it the training must give back the real image
    source=rearranged,  # what the discriminator judges in each iteration is made from this
    entry=painted,  # what is done to the user's painting before it comes in
    output="composite",  # an evaluation works on a picture of the user's own
    takes=("naive",),
    result="painted",  # painted_wo_mask.png and so on
    overrides={"train_stages": 3, "min_size": 120, "niter": 1000, "batch_norm": True},
)

if __name__ == "__main__":
    from consingan.cli import main

    main()
