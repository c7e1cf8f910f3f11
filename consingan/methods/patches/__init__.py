"""Training-free patch diffusion: the picture's own patches are the model.

Qiu, Kutulakos, Lindell, Efficient and Training-Free Single-Image Diffusion Models, CVPR 2026.
Scale 0 is the finest, S-1 the coarsest; pictures here are (C, H, W) in [-1, 1].
"""
