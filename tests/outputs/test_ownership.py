from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from commands import copy_of_run, evaluate_model, files_below, mask_of_scene, naive_scene, save

from consingan.errors import UserError
from consingan.machine.files import described, write_text
from consingan.outputs.ownership import RECORD, folder_of, owned, publish


def make(folder: Path, *names: str, text: str = "x") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def result(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / name, "x")


def evaluate(folder: Path, *names: str, said: list[str] | None = None, **about: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with owned(folder, about, (said if said is not None else []).append):
        result(folder, *names)


def record(folder: Path) -> dict:
    return json.loads((folder / RECORD).read_text("utf-8"))


# Plain files


def test_the_next_evaluation_removes_what_the_last_one_wrote_and_nothing_else(
    tmp_path: Path,
) -> None:
    make(tmp_path, "mine.txt", "samples/mine.png")
    evaluate(tmp_path, "report.html", "samples/1.png", "wide/1.png")
    evaluate(tmp_path, "samples/2.png")
    assert files_below(tmp_path) == [RECORD, "mine.txt", "samples/2.png", "samples/mine.png"]
    assert record(tmp_path)["files"] == ["samples/2.png"]
    assert not (tmp_path / "wide").exists()


def test_what_is_put_into_the_folder_meanwhile_stays(tmp_path: Path) -> None:
    make(tmp_path, "mine.txt")
    with owned(tmp_path, {}, print):
        result(tmp_path, "samples/1.png")
        make(tmp_path, "notes.txt", "samples/mine.png")
        make(tmp_path, "mine.txt", text="changed")
    evaluate(tmp_path)
    assert files_below(tmp_path) == [RECORD, "mine.txt", "notes.txt", "samples/mine.png"]


def test_what_a_thread_of_an_evaluation_writes_is_owned(tmp_path: Path) -> None:
    with owned(tmp_path, {}, print), ThreadPoolExecutor(1) as pool:
        pool.submit(result, tmp_path, "a.png").result()
    assert record(tmp_path)["files"] == ["a.png"]


def test_evaluations_side_by_side_own_what_is_their_own(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    with owned(one, {}, print):
        evaluate(other, "b.png")
        result(one, "a.png")
    assert record(one)["files"] == ["a.png"]
    assert record(other)["files"] == ["b.png"]


def test_a_file_that_is_written_over_is_owned(tmp_path: Path) -> None:
    make(tmp_path, "report.txt", text="mine")
    evaluate(tmp_path, "report.txt")
    assert record(tmp_path)["files"] == ["report.txt"]


def test_a_folder_that_is_gone_does_not_hide_the_first_error(tmp_path: Path) -> None:
    folder = tmp_path / "Evaluation"
    with pytest.raises(FileNotFoundError, match=r"late\.png"):
        evaluate_into_renamed(folder)


def evaluate_into_renamed(folder: Path) -> None:
    folder.mkdir()
    with owned(folder, {}, print):
        folder.rename(folder.with_name("elsewhere"))
        (folder / "late.png").write_text("x")


def test_what_was_written_before_an_early_end_is_owned(tmp_path: Path) -> None:
    def stop() -> None:
        with owned(tmp_path, {}, print):
            result(tmp_path, "half.png")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert record(tmp_path) == {"status": "unfinished", "files": ["half.png"]}
    evaluate(tmp_path, "whole.png")
    assert files_below(tmp_path) == [RECORD, "whole.png"]


def test_what_a_killed_evaluation_left_is_moved_aside_and_nothing_else(tmp_path: Path) -> None:
    make(tmp_path, "mine.txt", "samples/mine.png")
    with owned(tmp_path, {}, print):
        result(tmp_path, "fill_3.png", "samples/1.png")
        make(tmp_path, ".fill_4.png.7.tmp")
        killed = (tmp_path / RECORD).read_text("utf-8")  # nothing is written any more
    make(tmp_path, RECORD, ".lock", text=killed)
    said: list[str] = []
    evaluate(tmp_path, "fill_0.png", said=said)
    moved = [".fill_4.png.7.tmp", "fill_3.png", "samples/1.png"]
    assert files_below(tmp_path / "earlier") == moved
    assert {"mine.txt", "samples/mine.png", "fill_0.png"} <= set(files_below(tmp_path))
    assert record(tmp_path) == {"status": "finished", "files": ["fill_0.png"]}
    assert said == [f"Note: results of an earlier evaluation were moved to {tmp_path / 'earlier'}"]


def test_what_was_on_its_way_aside_when_that_was_killed_arrives(tmp_path: Path) -> None:
    make(tmp_path, ".earlier.tmp/fill_3.png", ".earlier.tmp/samples/1.png")
    said: list[str] = []
    evaluate(tmp_path, "fill_0.png", said=said)
    assert files_below(tmp_path / "earlier") == ["fill_3.png", "samples/1.png"]
    assert not (tmp_path / ".earlier.tmp").exists()
    assert said == [f"Note: results of an earlier evaluation were moved to {tmp_path / 'earlier'}"]


def test_a_second_evaluation_at_the_same_time_is_refused_and_takes_nothing_away(
    tmp_path: Path,
) -> None:
    with owned(tmp_path, {}, print):
        result(tmp_path, "first.png", "report.html")
        with pytest.raises(UserError, match=r"writing its results in .*; wait until"):
            evaluate(tmp_path, "second.png")
        assert files_below(tmp_path) == [".lock", RECORD, "first.png", "report.html"]
    assert files_below(tmp_path) == [RECORD, "first.png", "report.html"]
    assert record(tmp_path) == {"status": "finished", "files": ["first.png", "report.html"]}


def test_the_lock_of_a_folder_below_is_left_to_who_holds_it(tmp_path: Path) -> None:
    make(tmp_path, "naive/other/.lock")
    make(tmp_path, RECORD, text=json.dumps({"files": None, "before": []}))  # of a killed one
    evaluate(tmp_path, "first.png")
    assert files_below(tmp_path) == [RECORD, "first.png", "naive/other/.lock"]
    assert record(tmp_path)["files"] == ["first.png"]


def test_an_evaluation_keeps_its_lock_where_an_earlier_record_names_it(tmp_path: Path) -> None:
    make(tmp_path, "first.png", ".lock")
    make(tmp_path, RECORD, text=json.dumps({"files": [".lock", "first.png"]}))
    with owned(tmp_path, {}, print):
        assert not (tmp_path / "first.png").exists()
        with pytest.raises(UserError, match="writing its results"):
            evaluate(tmp_path, "second.png")
    make(tmp_path, ".lock")
    make(tmp_path, RECORD, text=json.dumps({"files": [".lock"]}))
    publish(tmp_path, tmp_path / "newest")
    assert not (tmp_path / "newest").exists()


@pytest.mark.parametrize("kept", [None, {"files": None}, {"files": [3]}, {"files": "report.html"}])
def test_results_without_a_record_are_moved_aside_and_it_is_said(
    tmp_path: Path, kept: object
) -> None:
    old = ["harmonized_w_mask.png", "random_samples/gen_sample_0.png", "report.html"]
    make(tmp_path, *old, "notes.txt")
    if kept is not None:
        make(tmp_path, RECORD, text=json.dumps(kept))
    said: list[str] = []
    evaluate(tmp_path, "report.html", said=said)
    assert files_below(tmp_path / "earlier") == old
    assert files_below(tmp_path) == sorted([*(f"earlier/{n}" for n in old),
                                            RECORD, "notes.txt", "report.html"])  # fmt: skip
    assert said == [f"Note: results of an earlier evaluation were moved to {tmp_path / 'earlier'}"]


def test_a_record_cannot_reach_out_of_its_folder(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "Evaluation"
    make(outside, "a.txt", "b.txt")
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    names = ["../outside/a.txt", str(outside / "a.txt"), "link/b.txt", ".."]
    make(folder, RECORD, text=json.dumps({"files": names}))
    evaluate(folder)
    assert files_below(outside) == ["a.txt", "b.txt"]


def test_evaluations_inside_an_evaluation_are_their_own(tmp_path: Path) -> None:
    evaluate(tmp_path / "iteration_50", "a.png")
    evaluate(tmp_path, "b.png")
    evaluate(tmp_path, "c.png")
    assert record(tmp_path)["files"] == ["c.png"]
    assert (tmp_path / "iteration_50/a.png").is_file()


def test_published_files_belong_to_the_place_they_are_copied_to(tmp_path: Path) -> None:
    inner = tmp_path / "naive/a"
    evaluate(inner, "result.png", "sheets/b.png")
    with owned(tmp_path, {}, print):
        publish(inner, tmp_path)
    assert record(tmp_path)["files"] == ["result.png", "sheets/b.png"]
    evaluate(tmp_path)
    assert files_below(tmp_path) == [
        RECORD, f"naive/a/{RECORD}", "naive/a/result.png", "naive/a/sheets/b.png"
    ]  # fmt: skip


def test_a_picture_keeps_its_folder_and_another_of_its_name_gets_a_number(tmp_path: Path) -> None:
    top = tmp_path / "Evaluation"
    for name, text in (("x/a.png", "1"), ("y/a.png", "2"), ("z/a.png", "1"), ("x/b.png", "3")):
        make(tmp_path, name, text=text)

    def place(name: str) -> str:
        inputs = described({"naive_img": tmp_path / name})
        folder = folder_of(top, inputs["naive_img"])
        evaluate(folder, inputs=inputs)
        return folder.name

    assert [place(n) for n in ("x/a.png", "y/a.png", "x/b.png")] == ["a", "a_2", "b"]
    assert place("z/a.png") == "a"  # the same picture, moved
    make(tmp_path, "y/a.png", text="changed")
    assert place("y/a.png") == "a_2"


@pytest.mark.skipif(os.name == "nt", reason="whole paths are short there")
def test_pictures_with_the_longest_name_have_folders_of_their_own(tmp_path: Path) -> None:
    found = []
    for text in "123":
        path = tmp_path / text / (255 * "n")
        make(path.parent, path.name, text=text)
        inputs = described({"naive_img": path})
        found.append(folder_of(tmp_path, inputs["naive_img"]).name)
        evaluate(tmp_path / "naive" / found[-1], inputs=inputs)
    assert len(set(found)) == 3


# The command


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_run("generation", tmp_path_factory.mktemp("generation"))


def done(run: Path, *words: object) -> set[str]:
    result = evaluate_model("--model_dir", run, "--device", "cpu", *words)
    assert result.exit_code == 0, result.output
    return set(files_below(run / "Evaluation"))


def test_other_numbers_sizes_and_formats_leave_nothing_of_the_first(generated: Path) -> None:
    done(generated, "--num_samples", 3, "--size", "40x30")
    found = done(generated, "--num_samples", 2, "--scale_w", 2, "--no_metrics", "--format", "jpg")
    wide = "random_samples_scale_h_1_scale_w_2"
    assert found == {
        RECORD, "real_image.jpg", "reconstruction.jpg", "samples_grid.jpg",
        *(f"{folder}/gen_sample_{i}.jpg" for folder in ("random_samples", wide) for i in (0, 1)),
    }  # fmt: skip
    kept = record(generated / "Evaluation")
    assert set(kept["files"]) == found - {RECORD}
    assert kept["request"]["num_samples"] == 2
    assert kept["status"] == "finished"


def test_each_naive_image_keeps_its_results(tmp_path: Path) -> None:
    run = copy_of_run("harmonization", tmp_path)
    first, second = naive_scene(), naive_scene().copy()
    second[:8] = 30
    a, b = save(tmp_path / "a.png", first), save(tmp_path / "b.png", second)
    mask = save(tmp_path / "a_mask.png", mask_of_scene())
    done(run, "--naive_img", a)
    of_a = {name: (run / "Evaluation/naive/a" / name).read_bytes()
            for name in files_below(run / "Evaluation/naive/a")}  # fmt: skip
    found = done(run, "--naive_img", b, "--format", "jpg", "--mask", "auto", "--no_metrics")
    assert all((run / "Evaluation/naive/a" / n).read_bytes() == of_a[n] for n in of_a)
    newest = {name for name in found if not name.startswith("naive/")}
    assert {f"naive/b/{name}" for name in newest} < found
    assert "harmonized_w_mask_full_size.jpg" in newest
    assert {Path(name).suffix for name in newest} == {".jpg", ".json"}
    inputs = json.loads(of_a[RECORD])["inputs"]
    assert inputs == described({"naive_img": a, "mask": mask})
