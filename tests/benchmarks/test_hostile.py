"""A shorter run of the damaged pictures."""

from __future__ import annotations

import pytest

from benchmarks.hostile import FORMATS, damaged, summary, try_all, whole


def test_damaged_pictures_are_read_or_refused_in_a_sentence():
    outcomes = try_all(0, 70)
    assert len(outcomes) == 70
    assert [outcome for outcome in outcomes if outcome["failure"]] == []
    results = {outcome["result"] for outcome in outcomes}
    assert results == {"read", "read with notes", "refused"}
    assert summary(outcomes).endswith("failures: 0")


def test_a_picture_is_the_same_in_every_run():
    assert damaged(17) == damaged(17)
    assert {damaged(number)[0] for number in range(7)} == set(FORMATS)


@pytest.mark.parametrize("kind", FORMATS)
def test_undamaged_pictures_of_all_kinds_are_read(tmp_path, kind):
    import numpy as np

    from consingan.images.io import read_picture

    for seed in range(12):
        path = tmp_path / f"{seed}.{kind}"
        path.write_bytes(whole(kind, np.random.default_rng(seed)))
        assert read_picture(path).image.isfinite().all()
