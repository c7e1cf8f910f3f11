"""`python -m consingan.metrics REAL SAMPLE...`."""

from __future__ import annotations

from consingan.cli.judging import metrics_command

if __name__ == "__main__":
    metrics_command(prog_name="python -m consingan.metrics")
