"""Several runs side by side."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from report_cases import assert_self_contained, judgement, tiny_run

from consingan.cli.comparing import compare_command
from consingan.machine.files import write_json
from consingan.methods.crn.config import CRNConfig
from consingan.methods.pix2pix.config import Pix2PixConfig
from consingan.metrics.reconstruction import Reconstruction
from consingan.metrics.summary import Summary
from consingan.outputs.film import Film
from consingan.outputs.finish import Degree
from consingan.outputs.samples import RandomSamples
from consingan.report import compare
from consingan.report.compare import Entry
from consingan.report.gather import gather, settings
from consingan.report.judging import judged_alike
from consingan.report.write import Stored, metrics_record, stored
from consingan.runs.files import WEIGHTS
from consingan.runs.load import load_run


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("compare")
    return [tiny_run(root / "a"), tiny_run(root / "b", "a <b> & c", niter=3)]


@pytest.fixture(scope="module")
def entries(folders: list[Path]) -> list[Entry]:
    loaded = [load_run(folder) for folder in folders]
    return [compare.entry(n, run, 3, 0, lambda _: None) for n, run in enumerate(loaded)]


def spans(*ends: tuple[float, float]) -> list[Summary]:
    return [Summary((low + high) / 2, 0.1, 0.0, low, high, 5) for low, high in ends]


def test_only_settings_that_differ_are_listed(entries: list[Entry]) -> None:
    found = {row.title: row.cells for row in compare.rows(entries) if row.section == "settings"}
    assert found.keys() == {"--input_name", "--niter"}
    assert found["--niter"] == ("2", "3")


def test_settings_of_two_methods_that_only_the_code_calls_alike_stand_apart(
    entries: list[Entry],
) -> None:
    configs = (CRNConfig(input_name="a.png"), Pix2PixConfig(input_name="a.png"))
    both = [
        dataclasses.replace(e, material=dataclasses.replace(e.material, config=config))
        for e, config in zip(entries, configs, strict=True)
    ]
    found = {row.title: row.cells for row in compare.rows(both) if row.section == "settings"}
    assert found["--critic_weight"] == ("0.05", "–")
    assert found["--adversarial"] == ("–", "bce")


def test_how_1_0_read_pictures_is_no_setting_of_the_users(entries: list[Entry]) -> None:
    """Of a picture with 8 bit it is as ever; a range of a deep one is another."""

    def ranges(other: str) -> list[tuple[str, ...]]:
        both = [(entries[0], "full,8"), (entries[0], other)]
        read = [
            dataclasses.replace(
                e,
                material=dataclasses.replace(
                    e.material, config=e.material.config.replace(value_range=text)
                ),
            )
            for e, text in both
        ]
        return [row.cells for row in compare.rows(read) if row.section == "settings"]

    assert ranges("auto") == []
    assert ranges("0,4095") == [("full,8", "0,4095")]
    kept = settings(entries[0].material.config.replace(value_range="full,8"))
    assert "--range" not in {setting.flag for setting in kept if setting.changed}


def test_metrics_and_times_are_listed(entries: list[Entry]) -> None:
    found = {row.title: row.cells for row in compare.rows(entries)}
    assert {"SWD x1000 ↓", "diversity ↑", "time", "stages"} <= found.keys()
    assert found["stages"] == ("2 of 2", "2 of 2")
    assert all(e.judgement is not None and e.judgement.count == 3 for e in entries)


def test_clearly_best_lies_apart_on_the_better_side() -> None:
    assert compare.clear_best("swd", spans((1, 2), (3, 4), (3.5, 5))) == 0
    assert compare.clear_best("diversity", spans((1, 2), (3, 4))) == 1
    assert compare.clear_best("swd", spans((1, 3.2), (3, 4))) is None
    assert compare.clear_best("swd", [*spans((1, 2)), None]) is None


def test_a_run_of_one_sample_is_held_against_the_others_but_is_never_clearly_best() -> None:
    two, seven, nine = (Summary(x, 0.0, x, None, None, 1) for x in (2.0, 7.0, 9.0))
    assert compare.clear_best("swd", [two, *spans((4, 6), (8, 10))]) is None
    assert compare.clear_best("diversity", [nine, *spans((4, 6), (7, 8))]) is None
    assert compare.clear_best("swd", [seven, *spans((4, 6), (8, 10))]) == 1


def test_no_run_is_best_beside_runs_of_other_pictures(entries: list[Entry]) -> None:
    def best(other: torch.Tensor) -> set[int | None]:
        material = dataclasses.replace(entries[0].material, manifest={})
        both = [
            dataclasses.replace(entries[0], material=material, judgement=judgement(swd=1.0)),
            Entry("B", dataclasses.replace(material, real=other), judgement(swd=9.0)),
        ]
        found = {row.best for row in compare.rows(both) if row.title.startswith("SWD")}
        assert ("Bold is clearly best" in compare.page(both)) == (found == {0})
        return found

    real = entries[0].material.real
    assert best(real) == {0}
    assert best(-real) == {None}


def test_the_training_image_is_told_by_what_it_is(entries: list[Entry]) -> None:
    """By the file's SHA-256, else by the picture that was trained, else by its name."""

    def differs(real: torch.Tensor, digest: str | None, **config: object) -> bool:
        pictures = {"input_name": {"path": "b.png", **({"sha256": digest} if digest else {})}}
        material = dataclasses.replace(
            entries[0].material, real=real, manifest={"pictures": pictures},
            config=entries[0].material.config.replace(**config),
        )  # fmt: skip
        other = dataclasses.replace(entries[0], material=material)
        return "training images differ" in " ".join(compare.warnings_of([entries[0], other]))

    first = entries[0].material
    real, small = first.real, first.real[..., 1:, 1:]
    digest = first.manifest["pictures"]["input_name"]["sha256"]
    assert "training images differ" not in compare.text_table(entries)  # two names of one picture
    assert not differs(small, digest, input_name="elsewhere.png")
    assert differs(real, digest, page=2)
    assert differs(-real, "another")
    assert differs(small, "another")
    assert not differs(real, None, input_name="array")
    assert differs(small, None, input_name="array")
    assert not differs(small, None)
    named = first.config.input_name
    assert differs(real[..., 8:], None, input_name=named)  # as two arrays, which have one name


def test_text_names_every_run(entries: list[Entry], folders: list[Path]) -> None:
    text = compare.text_table(entries)
    assert f"A  {folders[0]}" in text
    assert f"B  {folders[1]}" in text
    lines = [line for line in text.splitlines() if line.startswith("--niter")]
    assert lines[0].split() == ["--niter", "2", "3"]


def test_page_is_self_contained_and_escaped(entries: list[Entry]) -> None:
    html = compare.page(entries)
    page = assert_self_contained(html)
    assert "<b> &" not in html
    assert "a <b> & c" in page.text
    assert sum(image["alt"].startswith("B: sample") for image in page.all("img")) == compare.SHOWN


def test_figures_of_the_evaluation_are_taken_unless_stale(folders: list[Path]) -> None:
    run = load_run(folders[0])
    material = dataclasses.replace(gather(run), judgement=judgement(swd=77.0))
    path = folders[0] / "Evaluation" / "metrics.json"
    path.parent.mkdir()
    try:
        write_json(path, metrics_record(material, 0))
        assert stored(run, material) == Stored(material.judgement)
        write_json(path, {**json.loads(path.read_text()), "stages": 1})
        assert stored(run, material) == Stored()
        path.write_text("{")
        assert stored(run, material) == Stored()
    finally:
        path.unlink()
        path.parent.rmdir()


def test_figures_of_other_weights_are_not_taken(folders: list[Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders[0], tmp_path / "longer"))
    run = load_run(folder)
    material = dataclasses.replace(gather(run), judgement=judgement(swd=77.0))
    (folder / "Evaluation").mkdir()
    write_json(folder / "Evaluation" / "metrics.json", metrics_record(material, 0))
    shutil.copy(folder / "0" / WEIGHTS, folder / "1" / WEIGHTS)
    assert stored(run, material) == Stored()


def test_a_study_judges_a_run_alike_whatever_was_evaluated_of_it(
    folders: list[Path], entries: list[Entry], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders[0], tmp_path / "evaluated"))
    run = load_run(folder)
    made = RandomSamples([], None, None, (), 0.5, 0.0)
    material = dataclasses.replace(gather(run), judgement=judgement(swd=77.0), made=made)
    (folder / "Evaluation").mkdir()
    write_json(folder / "Evaluation" / "metrics.json", metrics_record(material, 5))
    assert stored(run, material) == Stored(judgement(swd=77.0), Degree(0.5))
    assert judged_alike(run, 3) == entries[0].judgement


def test_figures_of_samples_that_began_late_are_not_taken(
    folders: list[Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders[0], tmp_path / "late"))
    run = load_run(folder)
    (folder / "Evaluation").mkdir()
    found = []
    for start in (0, 1):
        made = RandomSamples([], start=start)
        material = dataclasses.replace(gather(run), judgement=judgement(swd=77.0), made=made)
        write_json(folder / "Evaluation" / "metrics.json", metrics_record(material, 0))
        found.append(stored(run, material))
    assert found == [Stored(judgement(swd=77.0), Degree()), Stored()]


@pytest.mark.parametrize("start", [0, 1])
def test_figures_of_a_film_and_its_reconstruction_are_shown(
    folders: list[Path], tmp_path: Path, start: int
) -> None:
    folder = Path(shutil.copytree(folders[0], tmp_path / "film"))
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", {**config, "train_mode": "animation"})
    run = load_run(folder)
    quality = Reconstruction(21.5, 0.8)
    judged = dataclasses.replace(judgement(swd=7.0), reconstruction=quality)
    made = Film((), 10.0, start)
    material = dataclasses.replace(gather(run), judgement=judged, made=made)
    (folder / "Evaluation").mkdir()
    write_json(folder / "Evaluation" / "metrics.json", metrics_record(material, 0))
    film = compare.entry(0, run, 3, 0, lambda _: None)
    found = {row.title: row.cells for row in compare.rows([film]) if row.section == "metrics"}
    assert found["reconstruction PSNR dB ↑"] == ("21.5",)
    assert found["SWD x1000 ↓"][0].startswith("7.00")
    assert ("--start_stage 1" in "".join(compare.warnings_of([film]))) == (start == 1)
    assert not film.material.samples


NEAR = {"psnr": 21.5, "ssim": 0.8}


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ({"to_truth": {"enlarged": NEAR, "bicubic": {"psnr": 20.0, "ssim": 0.7}}}, True),
        ({"in_the_hole": [{**NEAR, "swd": 9.0}]}, True),
        ({"in_the_hole": []}, False),
    ],
)
def test_how_near_a_result_came_to_the_truth_is_shown(
    folders: list[Path], entries: list[Entry], tmp_path: Path, record: dict[str, Any], shown: bool
) -> None:
    folder = Path(shutil.copytree(folders[0], tmp_path / "held"))
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", {**config, "train_mode": "animation"})
    run = load_run(folder)
    material = dataclasses.replace(gather(run), judgement=judgement(swd=7.0))
    (folder / "Evaluation").mkdir()
    write_json(folder / "Evaluation" / "metrics.json", metrics_record(material, 0) | record)
    held = compare.entry(0, run, 3, 0, lambda _: None)
    found = {row.title: row.cells for row in compare.rows([held, entries[1]])}
    assert found.get("against the truth PSNR dB ↑") == (("21.5", "–") if shown else None)
    assert found.get("against the truth SSIM ↑") == (("0.800", "–") if shown else None)


def test_what_was_not_judged_is_said_where_it_is_seen(
    folders: list[Path], entries: list[Entry]
) -> None:
    bare = dataclasses.replace(entries[0], judgement=None)
    assert "– stands for what was not judged." in compare.warnings_of([bare, entries[1]])
    assert "– stands for what was not judged." not in compare.warnings_of([bare, bare])


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ({"start_stages": [1], "finish": None}, None),
        ({"start_stages": [0, 1], "finish": 0.5}, Degree(0.5)),
        ({"start_stages": [], "finish": 0.6}, Degree(0.6)),
        ({"finish": None}, ()),
    ],
)
def test_what_earlier_releases_did_not_note_is_what_was_asked_for(
    folders: list[Path], tmp_path: Path, asked: dict[str, Any], taken: tuple[float, ...] | None
) -> None:
    folder = Path(shutil.copytree(folders[0], tmp_path / "earlier"))
    run = load_run(folder)
    (folder / "Evaluation").mkdir()
    material = dataclasses.replace(gather(run), judgement=judgement(swd=77.0))
    record = metrics_record(material, 0)
    del record["weights"]
    write_json(folder / "Evaluation" / "metrics.json", record)
    write_json(folder / "Evaluation" / "evaluation.json", {"format": 1, "request": asked})
    figures = None if taken is None else judgement(swd=77.0)
    assert stored(run, material) == Stored(figures, taken or None)


def test_pictures_are_finished_as_those_that_were_judged(folders: list[Path]) -> None:
    run = load_run(folders[0])
    material = dataclasses.replace(gather(run), judgement=judgement(swd=77.0))
    path = folders[0] / "Evaluation" / "metrics.json"
    path.parent.mkdir()
    found = {}
    try:
        for degree in ((0.0, 0.0), (0.5, 0.0), (0.5, 1e-6), (0.5, 0.0, 11)):
            made = RandomSamples([], None, None, (), *degree)
            write_json(path, metrics_record(dataclasses.replace(material, made=made), 0))
            found[degree] = compare.entry(0, run, 3, 0, lambda _: None)
    finally:
        path.unlink()
        path.parent.rmdir()
    shown = [torch.cat(list(one.material.samples)) for one in found.values()]
    assert not torch.equal(shown[0], shown[1])
    assert not torch.equal(shown[1], shown[2])
    assert not torch.equal(shown[1], shown[3])
    warned = [" ".join(compare.warnings_of([one])) for one in found.values()]
    assert warned[0] == ""
    assert "--finish 0.5, not" in warned[1]
    assert "--finish 0.5 --finish_within 1e-06, not" in warned[2]
    assert "--finish 0.5 --finish_patch 11, not" in warned[3]


def test_command_writes_the_page(folders: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    words = [*map(str, folders), "--output", str(output), "--num_samples", "0", "--device", "cpu"]
    result = CliRunner().invoke(compare_command, words)
    assert result.exit_code == 0, result.output
    assert "Nothing was judged" in result.output
    assert_self_contained(output.read_text(encoding="utf-8"))


@pytest.mark.parametrize("count", [1, 2])
def test_a_comparison_needs_two_different_runs(folders: list[Path], count: int) -> None:
    result = CliRunner().invoke(compare_command, [str(folders[0])] * count)
    assert result.exit_code == 2
    assert "run folder" in result.output
