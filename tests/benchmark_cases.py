"""What the tests of benchmarks have in common."""

from __future__ import annotations

from report_cases import TINY

SETTINGS = {name: value for name, value in TINY.items() if name != "device"}
FLAGS = [word for name, value in SETTINGS.items() for word in (f"--{name}", str(value))]
