"""Why work ended early, in words."""

from __future__ import annotations

import errno

import pytest

from consingan.api.advice import file_advice


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "run/x.png cannot be read or written (full); make room there."),
        (errno.EIO, "run/x.png cannot be read or written (full); mend that."),
        (errno.EPIPE, "what the output was piped into has ended (full); let it read to the end"),
    ],
)
def test_an_output_that_nobody_reads_is_no_file_to_be_mended(number: int, said: str) -> None:
    assert file_advice(OSError(number, "full", "run/x.png")).startswith(said)
