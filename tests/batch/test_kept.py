"""What was trained is found again, however its picture is named and whichever others there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import save, scene

from consingan.batch import results
from consingan.batch.kept import orders_in, settled
from consingan.batch.ledger import FINISHED, Ledger, read
from consingan.batch.orders import (
    MOST_BYTES,
    Order,
    asked_of,
    is_of_training,
    orders_of,
    picture_facts,
)
from consingan.batch.plan import Plan
from consingan.batch.results import notes_on, results_of
from consingan.batch.study import Study
from consingan.batch.toml import read_study, write_study
from consingan.images.names import image_stem
from consingan.machine.files import make_folder, write_json
from consingan.report.study import Trained

FIRST, SECOND = scene(), scene()[::-1]


@pytest.fixture(autouse=True)
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Two folders, a picture k.jpg in the first."""
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "one" / "k.png", FIRST)
    save(tmp_path / "two" / "other.png", SECOND)
    return Study((str(tmp_path / "one"), str(tmp_path / "two")))


def train(order: Order, folder: Path) -> str:
    """Leave what a finished training leaves, as far as it is looked for."""
    run = f"{image_stem(order.picture)}/run"
    Ledger(folder / order.name).note(
        status=FINISHED, asked=asked_of(order), picture=picture_facts(order.picture), run=run
    )
    write_json(
        make_folder(folder / order.name / run) / "config.json", {"input_name": order.picture}
    )
    return order.name


def train_all(study: Study, folder: Path) -> dict[str, str]:
    """The same of all of a study: picture -> folder."""
    return {order.picture: train(order, folder) for order in orders_in(folder, study)[0]}


def lying(study: Study, folder: Path) -> dict[str, str]:
    return {order.picture: order.name for order in orders_in(folder, study)[0]}


def shown(study: Study, folder: Path) -> list[Trained]:
    return results_of(folder, *orders_in(folder, study))


def states(study: Study, folder: Path) -> list[str]:
    return sorted(one.status for one in shown(study, folder))


def notes(study: Study, folder: Path) -> list[str]:
    return list(notes_on(orders_in(folder, study)[0], folder))


def test_paths_in_a_file_mean_the_same_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "two" / "k.png", SECOND)
    (tmp_path / "s.toml").write_text('pictures = ["one", "two"]')
    before = orders_of(read_study(Path("s.toml")))
    write_study(tmp_path, read_study(Path("s.toml")))
    monkeypatch.chdir(tmp_path / "one")
    for file in ("../s.toml", "../study.toml"):
        names = {Path(order.picture).resolve(): order.name for order in before}
        placed = settled(orders_of(read_study(Path(file))), tmp_path)
        assert {Path(o.picture).resolve() for o in placed} == names.keys()
    assert orders_of(read_study(tmp_path / "study.toml")) == before


def test_what_lies_under_a_name_of_a_relative_path_is_found(study: Study, tmp_path: Path) -> None:
    save(tmp_path / "two" / "k.png", SECOND)
    folder = tmp_path / "study"
    before = {o.picture: train(o, folder) for o in orders_of(Study(("one", "two")))}
    assert {str(Path(p).absolute()): name for p, name in before.items()} == lying(study, folder)
    assert states(study, folder) == [FINISHED] * 3


def test_a_picture_of_the_same_name_that_comes_later_moves_no_training(
    study: Study, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    before = train_all(study, folder)
    new = str(save(tmp_path / "two" / "k.png", SECOND))
    after = lying(study, folder)
    assert before.items() < after.items()
    assert after[new] not in before.values()
    assert states(study, folder) == [FINISHED, FINISHED, "not begun"]


def test_a_picture_that_moves_between_folders_keeps_its_training(
    study: Study, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    before = train_all(study, folder)
    old, new = tmp_path / "one" / "k.png", tmp_path / "two" / "k.png"
    old.rename(new)
    save(tmp_path / "one" / "third.png", FIRST[:, ::-1])
    assert lying(study, folder)[str(new)] == before[str(old)]
    assert orders_in(folder, study)[1] == []
    assert states(study, folder) == [FINISHED, FINISHED, "not begun"]


def test_pictures_that_are_exchanged_exchange_their_folders(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    one, two = tmp_path / "one" / "k.png", save(tmp_path / "two" / "k.png", SECOND)
    before = train_all(study, folder)
    save(one, SECOND)
    save(two, FIRST)
    after = lying(study, folder)
    assert (after[str(one)], after[str(two)]) == (before[str(two)], before[str(one)])


def test_a_new_picture_takes_no_folder_of_one_that_moved(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    one, two = tmp_path / "one" / "k.png", save(tmp_path / "two" / "k.png", SECOND)
    before = train_all(study, folder)
    save(one, FIRST[:, ::-1])
    save(two, FIRST)
    after = train_all(study, folder)
    assert after[str(two)] == before[str(one)]
    assert after[str(one)] not in before.values()
    assert lying(study, folder) == after


def test_a_copy_of_another_name_is_another_picture(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    train_all(study, folder)
    save(tmp_path / "one" / "copy.png", FIRST)
    assert states(study, folder) == [FINISHED, FINISHED, "not begun"]


def test_a_picture_that_is_gone_stays_among_the_results(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    train_all(study, folder)
    gone = save(tmp_path / "two" / "k.png", SECOND)
    train_all(study, folder)
    for picture in (gone, tmp_path / "one" / "k.png"):
        content = picture.read_bytes()
        picture.unlink()
        save(tmp_path / "one" / "third.png", FIRST[:, ::-1])
        assert {order.picture for order in orders_in(folder, study)[1]} == {str(picture)}
        assert states(study, folder).count(FINISHED) == 3
        picture.write_bytes(content)


def test_a_folder_that_is_closed_since_leaves_its_results(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "study"
    train_all(study, folder)
    stat = Path.stat

    def closed(self: Path, **how: Any) -> Any:
        if self.parent.name == "two":
            raise PermissionError(13, "Permission denied", str(self))
        return stat(self, **how)

    def none(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", closed)
    monkeypatch.setattr("os.path.exists", lambda name: Path(name).parent.name != "two")
    monkeypatch.setattr("consingan.batch.study.pictures_in", none)
    assert states(Study((str(tmp_path / "two"),)), folder) == [FINISHED]


def test_of_a_run_that_was_trained_longer_the_figures_are_left(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "study"
    lies = train_all(study, folder)
    assert notes(study, folder) == []
    longer = lies[str(tmp_path / "one" / "k.png")]
    monkeypatch.setattr(results, "is_longer", lambda place, _: place.name == longer)
    (note,) = notes(study, folder)
    assert note.startswith("1 trained longer since, by hand, k.png, seed 0 first; ")
    found = {one.picture: (one.status, one.run is None) for one in shown(study, folder)}
    assert found == {"k.png": (FINISHED, True), "other.png": (FINISHED, False)}
    monkeypatch.setattr(results, "tells_of_order", lambda place, _: place.name != longer)
    assert notes(study, folder) == []
    assert states(study, folder) == [FINISHED, "not begun"]


def test_what_a_preset_means_otherwise_by_now_is_said_and_trained_anew(
    study: Study, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    lies = train_all(study, folder)
    book = Ledger(folder / lies[str(tmp_path / "one" / "k.png")])
    book.note(asked={**book.entry["asked"], "batch_norm": True})
    (note,) = notes(study, folder)
    assert note.startswith("1 trained with --set batch_norm=true, k.png, seed 0 first, ")
    orders = tuple(orders_in(folder, study)[0])
    lines = Plan(study, folder, orders, orders, {}).introduction()
    (line,) = (line for line in lines if "trained anew" in line)
    assert line.startswith("Note: 1 trained anew, k.png, seed 0 first: what a preset ")
    assert "; --set batch_norm=true keeps what was trained." in line
    again = replace(study, settings={"batch_norm": (True,)})
    assert book.folder.name in lying(again, folder).values()
    (tmp_path / "one" / "k.png").write_bytes(b"another picture")
    assert notes(study, folder) == []


def test_a_picture_of_skimage_is_no_file_of_that_name(tmp_path: Path) -> None:
    file = str(save(tmp_path / "coffee.png", FIRST))
    folder = tmp_path / "study"
    train_all(Study((file,)), folder)
    assert states(Study(("skimage:coffee",)), folder) == ["not begun"]
    train_all(Study(("skimage:coffee",)), folder)
    assert states(Study((file, "skimage:coffee")), folder) == [FINISHED] * 2


@pytest.mark.parametrize("letter", ["k", "é", "图", "\U0001d538"])
@pytest.mark.parametrize("length", [3, 60, 75, 200])
def test_names_of_folders_fit_a_disk_and_stay_as_they_were(letter: str, length: int) -> None:
    (order,) = orders_of(Study((f"/{letter * length}.png",)))
    assert len(order.name.encode()) <= MOST_BYTES
    assert order.name.startswith(letter * min(length, 3))
    short = f"{letter * length}.png-consingan-seed_0"
    if len(short) <= 100 and len(short.encode()) <= MOST_BYTES:
        assert order.name == short


@pytest.mark.parametrize("place", ["", "masks/"])
def test_a_ledger_of_an_earlier_release_still_tells_what_is_done(
    tmp_path: Path, place: str
) -> None:
    """It has no settings that came later, nor what files held, and paths as they were typed."""
    hole = save(tmp_path / place / "m.png", FIRST)
    settings = {"mask": (str(hole),), "max_size": (32,)}
    study = Study((str(tmp_path / "one/k.png"),), ("patches",), train_mode="inpainting",
                  settings=settings)  # fmt: skip
    (order,) = orders_of(study)
    train(order, tmp_path / "study")
    entry = read(tmp_path / "study" / order.name)
    asked = {k: v for k, v in entry["asked"].items() if k != "condition_range"}
    assert len(asked) == len(entry["asked"]) - 1
    Ledger(tmp_path / "study" / order.name).note(asked={**asked, "mask": f"{place}m.png"})
    meant, _ = orders_in(tmp_path / "study", study)
    assert [one.name for one in meant] == [order.name]
    told = read(tmp_path / "study" / order.name)
    assert is_of_training(told, order, order.picture)
    assert not is_of_training({**told, "asked": {**asked, "mask": "n.png"}}, order, order.picture)


def test_whole_numbers_for_real_ones_are_the_same_training_however_they_are_written(
    study: Study, tmp_path: Path
) -> None:
    """A file says 10 where --set reads 10.0; ledgers of earlier releases have either."""
    (tmp_path / "s.toml").write_text('pictures = ["one"]\n[set]\nalpha = [10, 1]\nniter = 7')
    typed = {"alpha": (10.0, 1.0), "niter": (7,)}
    filed = read_study(tmp_path / "s.toml")
    assert str(filed.settings) == str(typed)
    before = train_all(replace(filed, settings={"alpha": (10, 1), "niter": (7,)}), tmp_path / "s")
    for name in (one.parent.name for one in (tmp_path / "s").glob("*/job.json")):
        asked = read(tmp_path / "s" / name)["asked"]
        Ledger(tmp_path / "s" / name).note(asked={**asked, "alpha": int(asked["alpha"])})
    for same in (filed, replace(filed, settings=typed)):
        assert lying(same, tmp_path / "s") == before
        assert states(same, tmp_path / "s") == [FINISHED] * 2
