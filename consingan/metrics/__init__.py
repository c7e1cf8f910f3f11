"""Figures of merit for pictures from any program: one real picture against N samples.

Every metric is a pure function of float tensors (N, 3, H, W) in [0, 1]:

- `swd`: sliced Wasserstein distance of patches
- `bidirectional`: coherence and completeness, over the nearest neighbors of `patches`
- `novelty`: large verbatim copies and new texture; `fieldmap`: the same as a picture
- `diversity`: SinGAN's diversity, and MS-SSIM between samples
- `sifid`: Frechet distance (`frechet`) of Inception features
- `reconstruction`: PSNR and SSIM

`judge` computes all of them, with the intervals of `summary`; `python -m consingan.metrics` prints
them. This file imports nothing, so that a command line can offer the metrics without loading torch.
"""
