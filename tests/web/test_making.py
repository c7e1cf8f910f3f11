"""Everything that was made can be saved, however much of it is shown."""

from __future__ import annotations

import json
import zipfile

from consingan.outputs.ownership import RECORD
from consingan.web.making import MOST_SHOWN, made_files, shown_files, zipped


def test_the_zip_has_more_than_is_shown_and_what_no_browser_shows(tmp_path):
    names = [f"random_samples/gen_sample_{i}.png" for i in range(MOST_SHOWN + 5)]
    names += ["random_samples/gen_sample_0.tiff", "samples_grid.png"]
    (tmp_path / "random_samples").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / RECORD).write_text(json.dumps({"files": names}))
    made = made_files(tmp_path)
    with zipfile.ZipFile(zipped(made, tmp_path / "all.zip")) as archive:
        assert archive.namelist() == names
    assert shown_files(made) == [tmp_path / name for name in names[:MOST_SHOWN]]
    assert not shown_files([tmp_path / "a.tiff"])
