"""SinGAN (Rott Shaham, Dekel, Michaeli, ICCV 2019): a pyramid of small GANs on one image."""
