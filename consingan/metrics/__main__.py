"""`python -m consingan.metrics REAL SAMPLE...`, which is `consingan metrics`."""

from __future__ import annotations

import runpy
import sys

if __name__ == "__main__":
    sys.argv[1:1] = ["metrics"]
    runpy.run_module("consingan", run_name="__main__", alter_sys=True)
