"""Grids, labels, curves and animations."""

from __future__ import annotations

import gc
import sys

import numpy as np
import pytest
import torch
from matplotlib.colors import same_color
from PIL import Image, features

from consingan.errors import UserError
from consingan.images import video
from consingan.images.sheets import GAP, LABEL_HEIGHT, grid, labelled
from consingan.images.video import require_writer, write_animation
from consingan.methods.consingan.method import LOSSES
from consingan.methods.registry import METHODS
from consingan.report.figures import panel_svg
from consingan.runs.curves import curves_figure, read_curves, save_curves


def plain(value, size=(10, 14)):
    return torch.full((1, 3, *size), float(value))


@pytest.mark.parametrize(
    ("count", "columns", "rows", "across"),
    [
        (1, None, 1, 1),
        (3, None, 1, 3),
        (4, None, 1, 4),
        (5, None, 2, 4),
        (8, 3, 3, 3),
        (2, 5, 1, 5),
    ],
)
def test_grid_places_pictures_in_rows(count, columns, rows, across):
    values = [i / 10 - 0.9 for i in range(count)]
    sheet = grid([plain(v) for v in values], columns)
    assert sheet.shape == (3, rows * (10 + GAP) - GAP, across * (14 + GAP) - GAP)
    for index, value in enumerate(values):
        row, column = divmod(index, across)
        top, left = row * (10 + GAP), column * (14 + GAP)
        assert (sheet[:, top : top + 10, left : left + 14] == torch.tensor(value)).all()
    inside = torch.zeros_like(sheet, dtype=torch.bool)
    for index in range(count):
        row, column = divmod(index, across)
        inside[:, row * 14 : row * 14 + 10, column * 18 : column * 18 + 14] = True
    assert (sheet[~inside] == 1).all()


def test_labels_stand_above_their_pictures():
    sheet = labelled([plain(-1, (20, 90)), plain(0.5, (20, 90))], ["naïve: été", ""], 2)
    assert sheet.shape == (20 + LABEL_HEIGHT, 2 * 90 + GAP, 3)
    assert (sheet[LABEL_HEIGHT:, :90] == 0).all()
    assert (sheet[LABEL_HEIGHT:, 90 + GAP :] == 191).all()
    assert (sheet[:LABEL_HEIGHT, :90] < 100).any()
    assert (sheet[:LABEL_HEIGHT, 90:] == 255).all()


def test_each_picture_has_a_label():
    with pytest.raises(ValueError, match="zip"):
        labelled([plain(0), plain(0)], ["one"])


def write_losses(folder, *stages):
    for number, rows in enumerate(stages):
        (folder / str(number)).mkdir()
        lines = [",".join(LOSSES), *(",".join(map(str, row)) for row in rows)]
        (folder / str(number) / "losses.csv").write_text("\n".join(lines) + "\n")


def test_curves_of_all_stages(tmp_path):
    write_losses(tmp_path, [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]], [[0, 0, 0, 0, 0.5]])
    curves = read_curves(tmp_path)
    assert {stage: len(c["d_real"]) for stage, c in curves.items()} == {0: 2, 1: 1}
    assert curves[0]["gradient_penalty"].tolist() == [3, 8]
    reconstruction = curves_figure(curves, "g_reconstruction").axes[1]
    steps = [
        x
        for line in reconstruction.lines
        for x in line.get_xdata()
        if same_color(line.get_color(), "C4")
    ]
    assert steps == [0, 1, 2]
    assert reconstruction.get_yscale() == "log"
    save_curves(tmp_path, "g_reconstruction")
    with Image.open(tmp_path / "losses.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 400


def test_curves_of_a_later_stage_alone_keep_its_number(tmp_path):
    write_losses(tmp_path, [[1, 2, 3, 4, 5]])
    (tmp_path / "0").rename(tmp_path / "11")
    (tmp_path / "about").mkdir()
    (tmp_path / "about" / "losses.csv").write_text("not a stage's")
    curves = read_curves(tmp_path)
    assert list(curves) == [11]
    (label,) = (text.get_text() for text in curves_figure(curves, "g_reconstruction").axes[1].texts)
    assert label == "stage 12"
    panel = METHODS["consingan"].panels[0]
    assert "stage 12" in panel_svg(curves, panel)


def test_a_loss_that_was_added_in_midst_of_a_training_is_not_damage(tmp_path):
    write_losses(tmp_path, [[1, 2, 3, 4, 5]], [[1, 2, 3, 4, 5]])
    (tmp_path / "1" / "losses.csv").write_text(",".join([*LOSSES, "new"]) + "\n1,2,3,4,5,6\n")
    assert list(read_curves(tmp_path)[1]) == [*LOSSES, "new"]
    save_curves(tmp_path, "g_reconstruction")
    assert (tmp_path / "losses.png").is_file()


def test_curves_without_reconstruction_loss(tmp_path):
    write_losses(tmp_path, [[1, 2, 3, 4, 0]])
    assert curves_figure(read_curves(tmp_path), "g_reconstruction").axes[1].get_yscale() == "linear"


def test_no_curves_no_picture(tmp_path):
    save_curves(tmp_path, "g_reconstruction")
    write_losses(tmp_path, [])
    save_curves(tmp_path, "g_reconstruction")
    assert not (tmp_path / "losses.png").exists()


def walk(count, size=(17, 21)):
    ramp = torch.linspace(-1, 1, size[0] * size[1]).view(1, 1, *size).expand(1, 3, *size)
    return [ramp.roll(5 * i, -1) for i in range(count)]


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    write_animation(path, walk(6), fps=20)
    with Image.open(path) as image:
        assert image.n_frames == 6
        assert image.size == (21, 17)
        assert image.info["loop"] == 0
        for index, frame in enumerate(walk(6)):
            image.seek(index)
            image.load()
            assert image.info["duration"] == 50
            wanted = (frame[0, 0].numpy() + 1) * 127.5
            found = np.asarray(image.convert("RGB"))[:, :, 0]
            assert np.abs(found - wanted).mean() < 14
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


# imageio-ffmpeg leaves its pipes to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_mp4(tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / "x.mp4"
    write_animation(path, walk(6, (33, 47)), fps=10)
    reader = ffmpeg.read_frames(str(path))
    about = next(reader)
    assert (about["size"], about["fps"]) == ((46, 32), 10)
    frames = np.stack([np.frombuffer(f, np.uint8).reshape(32, 46, 3) for f in reader])
    gc.collect()
    assert len(frames) == 6
    wanted = (walk(1, (33, 47))[0][0, 0, :32, :46].numpy() + 1) * 127.5
    assert np.abs(frames[0, :, :, 0] - wanted).mean() < 14


def test_a_still_animation_is_no_error(tmp_path):
    write_animation(tmp_path / "x.gif", [plain(0.2)] * 4, fps=10)
    with Image.open(tmp_path / "x.gif") as image:
        assert image.size == (14, 10)


def test_unknown_suffix(tmp_path):
    with pytest.raises(UserError, match="written as gif, webp or mp4"):
        write_animation(tmp_path / "x.avi", walk(2), fps=10)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".mp4"])
def test_what_a_film_needs_is_missed_before_its_first_frame(suffix, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr(features, "check", lambda name: False)
    asked = []
    frames = (asked.append(1) or plain(0.0) for _ in range(2))
    if suffix == ".gif":  # Pillow always has it
        require_writer(suffix)
        return
    with pytest.raises(UserError, match="run: pip install"):
        write_animation(tmp_path / f"x{suffix}", frames, fps=10)
    assert not asked


def test_mp4_without_the_program_in_its_package(monkeypatch):
    def missing():
        raise RuntimeError("No ffmpeg exe could be found.")

    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setattr(ffmpeg, "get_ffmpeg_exe", missing)
    with pytest.raises(UserError, match="finds no ffmpeg program here"):
        require_writer(".mp4")


def test_mp4_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r"MP4 needs imageio-ffmpeg 0.5 or newer; run: pip install"):
        write_animation(tmp_path / "x.mp4", walk(2), fps=10)
    assert not list(tmp_path.iterdir())


def test_nan_is_no_frame(tmp_path):
    with pytest.raises(ValueError, match="not finite"):
        write_animation(tmp_path / "x.gif", [plain(0), plain(float("nan"))], fps=10)
    assert not list(tmp_path.iterdir())


def test_an_animation_is_written_whole(tmp_path, monkeypatch):
    def broken(temporary, *_, **__):
        temporary.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(video._WRITERS, ".gif", broken)
    with pytest.raises(OSError, match="No space left"):
        video.write_animation(tmp_path / "x.gif", walk(2), fps=10)
    assert not list(tmp_path.iterdir())


def test_an_mp4_is_written_frame_by_frame(tmp_path, monkeypatch):
    """A long film is never in memory as a whole."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    made, written = [], []

    def writer(*_, **__):
        while True:
            frame = yield
            written.append((len(made), frame.shape))

    def frames():
        for frame in walk(3, (33, 46)):
            made.append(1)
            yield frame

    monkeypatch.setattr(ffmpeg, "write_frames", writer)
    with pytest.raises(OSError, match="ffmpeg failed"):  # there is no film
        write_animation(tmp_path / "x.mp4", frames(), fps=10)
    assert written == [(1, (32, 46, 3)), (2, (32, 46, 3)), (3, (32, 46, 3))]
    assert not list(tmp_path.iterdir())


def test_an_mp4_whose_end_is_missing_is_no_film(tmp_path, monkeypatch):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setattr(ffmpeg, "count_frames_and_secs", lambda _: (5, 0.5))
    with pytest.raises(OSError, match="ffmpeg failed"):
        write_animation(tmp_path / "x.mp4", walk(6, (32, 46)), fps=10)
    assert not list(tmp_path.iterdir())


def test_an_error_between_two_frames_is_its_own(tmp_path):
    pytest.importorskip("imageio_ffmpeg")

    def frames():
        yield from walk(2, (32, 46))
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        write_animation(tmp_path / "x.mp4", frames(), fps=10)
    assert not list(tmp_path.iterdir())
