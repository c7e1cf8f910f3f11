"""What the cells of `notebooks/ConSinGAN_Colab.ipynb` call: on Google Colab and in any Jupyter.

from consingan.notebook import Studio
studio = Studio()
studio.choose("skimage:coffee")
studio.train(train_mode="generation", preset="draft")
studio.samples(4)

Needs IPython, which every notebook has; nothing else of the package imports this.
"""

from __future__ import annotations

from consingan.notebook.pairs import PairStudio
from consingan.notebook.studio import Studio

__all__ = ["PairStudio", "Studio"]
