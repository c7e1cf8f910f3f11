"""Networks of 3x3 convolutions with leaky ReLU in kernels that Triton compiles for an NVIDIA GPU.

A coarse stage's iteration is some hundred small kernels one after the other; here a convolution
takes its bias, its activation or the slopes of one along, sums come with what they are sums of, and
up-sampling is one kernel. Half as many kernels take half the time. `choice.usable` says where.
"""
