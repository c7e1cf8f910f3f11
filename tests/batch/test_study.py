"""A study's description: checked before anything starts, kept and read again."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
from commands import save, scene

from consingan.batch.orders import asked_of, orders_of
from consingan.batch.study import Study, parse_settings, pictures_of, variants
from consingan.batch.toml import STUDY, read_study, text_of, write_study
from consingan.errors import UserError
from consingan.methods.consingan.presets import PRESETS
from consingan.methods.registry import METHODS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures and one of the same name elsewhere."""
    for name in ("pictures/a.png", "pictures/b.png", "a.png"):
        save(tmp_path / name, scene())
    return tmp_path


def test_each_is_trained_with_each(folder: Path) -> None:
    study = Study(
        (str(folder / "pictures"),), seeds=(0, 1), presets=("paper", "fast"),
        settings={"lr_scale": (0.1, 0.5), "niter": (7,)},
    )  # fmt: skip
    orders = orders_of(study)
    assert len(orders) == 2 * 2 * 2 * 2
    assert len({order.name for order in orders}) == len(orders)
    assert orders[0].variant == {"preset": "paper", "lr_scale": 0.1}
    assert orders[0].typed == {
        "method": "consingan", "preset": "paper", "lr_scale": 0.1, "niter": 7, "manual_seed": 0,
    }  # fmt: skip


def test_folders_keep_their_names_when_the_study_grows(folder: Path) -> None:
    pictures = (str(folder / "pictures"),)
    small = Study(pictures, settings={"niter": (7,)})
    large = Study(pictures, seeds=(0, 1), presets=(), settings={"niter": (7, 9)})
    assert {o.name for o in orders_of(small)} < {o.name for o in orders_of(large)}


def test_pictures_of_one_name_are_told_apart(folder: Path) -> None:
    study = Study((str(folder / "pictures"), str(folder / "a.png")))
    labels = [order.label for order in orders_of(study)]
    assert len(set(labels)) == 3
    assert labels[1] == "b.png"
    assert pictures_of(Study((*study.pictures, *study.pictures))) == pictures_of(study)


def test_names_that_differ_in_case_are_told_apart_for_disks_that_do_not(folder: Path) -> None:
    save(folder / "B.PNG", scene())
    study = Study((str(folder / "pictures"), str(folder / "B.PNG")))
    names = [order.name for order in orders_of(study)]
    assert len({name.casefold() for name in names}) == 3


def test_a_picture_named_in_two_ways_is_one(folder: Path) -> None:
    names = ("a.png", "pictures/../a.png", "skimage:coffee", "skimage:coffee")
    study = Study(tuple(n if ":" in n else str(folder / n) for n in names))
    assert pictures_of(study) == [str(folder / "a.png"), "skimage:coffee"]


def test_a_method_goes_without_the_settings_of_others() -> None:
    study = Study((), ("consingan", "patches"), settings={"lr_scale": (0.1, 0.5), "niter": (7,)})
    found = [(typed["method"], typed.get("lr_scale")) for typed in variants(study)]
    assert found == [("consingan", 0.1), ("consingan", 0.5), ("patches", None)]


def test_a_preset_that_means_something_else_by_now_is_another_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (order,) = orders_of(Study(("skimage:coffee",), presets=("fast",)))
    before = asked_of(order)
    monkeypatch.setitem(PRESETS, "fast", {"fine_niter": 7})
    assert asked_of(order) != before


def test_values_are_of_the_kind_of_the_default() -> None:
    texts = ["niter=5, 6", "lr-scale=0.1", "batch_norm=true,no", "activation=lrelu,prelu"]
    assert parse_settings(texts, ["consingan"]) == {
        "niter": (5, 6), "lr_scale": (0.1,), "batch_norm": (True, False),
        "activation": ("lrelu", "prelu"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("mask=auto_color:255,0,0", ("auto_color:255,0,0",)),
        ("mask=auto_color:255,0,0, alpha,m.png", ("auto_color:255,0,0", "alpha", "m.png")),
        ("value_range=0,4095", ("0,4095",)),
        ("value_range=full, -1e3,2.5 ,0,100,deep", ("full", "-1e3,2.5", "0,100,deep")),
        ("activation=lrelu,prelu", ("lrelu", "prelu")),
    ],
)
def test_commas_inside_of_a_value_part_nothing(text: str, values: tuple[str, ...]) -> None:
    assert parse_settings([text], ["consingan"]) == {text.partition("=")[0]: values}


def test_every_range_is_written_with_a_comma() -> None:
    ranges = {name for method in METHODS.values() for name in method.config.__dataclass_fields__
              if name.endswith("_range")}  # fmt: skip
    assert {"value_range", "condition_range"} <= ranges
    for name in ranges:
        assert parse_settings([f"{name}=0,4095,full"], ["pix2pix"]) == {name: ("0,4095", "full")}


def test_a_list_of_files_may_be_long() -> None:
    names = tuple(f"mask_of_forest_{number:02d}.png" for number in range(40))
    assert parse_settings([f"mask={','.join(names)}"], ["consingan"]) == {"mask": names}


def test_names_of_trainings_have_no_folders_unless_files_have_one_name(folder: Path) -> None:
    masks = tuple(str(folder / place / "m.png") for place in ("one", "two"))
    study = Study((str(folder / "a.png"),), settings={"mask": masks[:1], "niter": (7,)})
    (order,) = orders_of(study)
    assert order.name == "a.png-consingan-mask_m.png-niter_7-seed_0"
    both = orders_of(Study(study.pictures, settings={"mask": masks, "niter": (7,)}))
    assert len({one.name for one in both}) == 2
    assert [one.variant["mask"] for one in both] == list(masks)


def test_a_file_whose_name_has_a_comma_is_one(folder: Path) -> None:
    path = save(folder / "a, b.png", scene())
    assert parse_settings([f"mask={path}"], ["consingan"]) == {"mask": (str(path),)}


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["nitr=5"], "did you mean 'niter'"),
        (["niter"], "of the form name=a,b"),
        (["niter=x"], "--set niter=x must be a whole number"),
        (["batch_norm=maybe"], "must be true or false"),
        (["niter=5", "niter=6"], "given twice"),
        (["manual_seed=5"], "use --seeds"),
        (["scale_factor=5"], "is a setting of --method singan"),
    ],
)
def test_what_is_no_setting_is_refused(texts: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        parse_settings(texts, ["consingan"])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({"niter": (5, 0)}, "--niter 0 must be 1 or more"), ({"niter": (5, 5)}, "named twice")],
)
def test_values_that_cannot_work_are_refused(
    settings: dict[str, tuple[int, ...]], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        Study((), settings=settings).check()


def test_a_description_comes_back_as_it_was_kept(folder: Path) -> None:
    study = Study(
        (str(folder / 'a "quoted" \\ name é.png'), "skimage:coffee"), ("consingan", "singan"),
        ("paper", "fast"), (0, 2), "generation",
        {"niter": (5, 6), "lr_scale": (0.1, 1e-05), "batch_norm": (True, False)}, 7,
        {"device": "cpu", "threads": 2},
    )  # fmt: skip
    write_study(folder, study)
    assert read_study(folder / "study.toml") == study


NAMES = [
    "a\x7fb.png",
    "a\nb\t\x1b[31m\x85.png",
    "~a.png",
    "skimage:a.png",
    "..a.png",
    "é\u2028.png",
]


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_picture_or_mask_is_called_is_read_again(folder: Path, name: str) -> None:
    with contextlib.suppress(OSError):  # not on every disk
        (folder / "a.png").rename(folder / name)
    for place in (folder, folder / "study"):
        place.mkdir(exist_ok=True)
        files = (str(folder / name), "alpha", str(folder / "elsewhere.png"))
        study = Study(files[:1], settings={"mask": files}, inception=files[0])
        write_study(place, study)
        assert read_study(place / STUDY) == study


@pytest.mark.parametrize("what", ["pictures", "mask", "inception"])
def test_a_name_that_is_no_text_is_refused(folder: Path, what: str) -> None:
    name = "/b\udcff.png"
    study = {
        "pictures": Study((name,)),
        "mask": Study((), settings={"mask": (name,)}),
        "inception": Study((), inception=name),
    }[what]
    with pytest.raises(UserError, match=r"b\\xff.png is not a name of text; rename that file"):
        write_study(folder, study)


def test_a_study_moves_with_the_files_in_its_folder(folder: Path) -> None:
    home, away = folder / "home", folder / "away"
    save(home / "pictures" / "a.png", scene())
    save(home / "mask.png", scene())
    pictures = (str(home / "pictures"), str(folder / "a.png"), str(home / ".." / "a.png"))
    write_study(home, Study(pictures, settings={"mask": (str(home / "mask.png"),)}))
    home.rename(away)
    moved = read_study(away / STUDY)
    assert moved.pictures == (str(away / "pictures"), *pictures[1:])
    assert moved.settings == {"mask": (str(away / "mask.png"),)}


def test_a_mask_that_is_gone_is_not_taken_from_where_the_program_is_called(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = save(folder / "study" / "m.png", scene())
    study = Study((str(folder / "a.png"),), settings={"mask": (str(mask),)}, inception=str(mask))
    write_study(folder / "study", study)
    mask.unlink()
    save(folder / "m.png", scene())
    monkeypatch.chdir(folder)
    assert read_study(folder / "study" / STUDY) == study


BY_HAND_TEXT = "# mine\npictures = 'a.png'\nseeds = 2\n[set]\nalpha = 10\n"


def test_a_file_that_says_the_same_is_left_alone(folder: Path) -> None:
    (folder / STUDY).write_text(BY_HAND_TEXT)
    same = Study((str(folder / "a.png"),), seeds=(0, 1), settings={"alpha": (10.0,)})
    write_study(folder, same)
    assert (folder / STUDY).read_text() == BY_HAND_TEXT


@pytest.mark.parametrize("text", [BY_HAND_TEXT, "seeds = ["])
def test_what_somebody_wrote_is_kept_where_another_study_takes_its_place(
    folder: Path, text: str
) -> None:
    (folder / STUDY).write_text(text)
    for seeds in ((0,), (0, 5)):  # the second takes the place of what a program wrote
        study = Study((str(folder / "a.png"),), seeds=seeds)
        write_study(folder, study)
        assert read_study(folder / STUDY) == study
        assert (folder / "study.before.toml").read_text() == text


def test_what_is_kept_of_several_hands_is_kept_of_each(folder: Path) -> None:
    """The first of them once: what it says is there already."""
    texts = [BY_HAND_TEXT, f"{BY_HAND_TEXT}# theirs\n", BY_HAND_TEXT, "seeds = ["]
    for text in texts:
        (folder / STUDY).write_text(text)
        write_study(folder, Study((str(folder / "a.png"),)))
    kept = {path.name: path.read_text() for path in folder.glob("study.before*")}
    assert kept == {
        "study.before.toml": texts[0], "study.before.2.toml": texts[1],
        "study.before.3.toml": texts[3],
    }  # fmt: skip


@pytest.mark.parametrize("seeds", [(0,), (0, 5)])
def test_what_an_earlier_release_wrote_is_nobodys_own_and_can_be_moved_from_now_on(
    folder: Path, seeds: tuple[int, ...]
) -> None:
    """1.13 wrote whole paths, and whole numbers as they were typed."""
    earlier = f"""# A study; `consingan batch --file study.toml` goes on with it.
pictures = ["{(folder / "a.png").as_posix()}"]
methods = ["consingan"]
seeds = [0]
samples = 20

[set]
alpha = [10]

[machine]
device = "cpu"
"""
    (folder / STUDY).write_text(earlier)
    study = dataclasses.replace(read_study(folder / STUDY), seeds=seeds)
    write_study(folder, study)
    assert not list(folder.glob("study.before*"))
    assert 'pictures = ["a.png"]' in (folder / STUDY).read_text()
    assert read_study(folder / STUDY) == study


def test_paths_in_a_file_count_from_its_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "w.pth").write_text("weights")
    save(folder / "elsewhere" / "only_there.png", scene())
    monkeypatch.chdir(folder / "elsewhere")
    save(folder / "elsewhere" / "b.png", scene())  # another of the same name where we are
    text = """
        pictures = ["a.png"]
        methods = ["consingan", "pix2pix"]
        inception = "w.pth"
        [set]
        mask = ["pictures/b.png", "alpha", "only_there.png"]
        vgg_weights = "https://an.address/w.pth"
        activation = "elu"
    """
    (folder / "s.toml").write_text(text)
    study = read_study(folder / "s.toml")
    assert study.inception == str(folder / "w.pth")
    masks = (str(folder / "pictures/b.png"), "alpha", str(folder / "only_there.png"))
    address = ("https://an.address/w.pth",)
    assert study.settings == {"mask": masks, "vgg_weights": address, "activation": ("elu",)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_may_be_short(folder: Path, encoding: str) -> None:
    text = 'pictures = ["a.png"]\nseeds = 3\n[set]\nniter = 5\n'
    (folder / "s.toml").write_text(text, encoding)
    study = read_study(folder / "s.toml")
    assert study == Study((str(folder / "a.png"),), seeds=(0, 1, 2), settings={"niter": (5,)})
    assert "niter = [5]" in text_of(study, folder)


def test_a_whole_number_beyond_all_real_ones_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(f"[set]\nalpha = 1{'0' * 400}")
    with pytest.raises(UserError, match="--alpha inf must be a finite number"):
        read_study(tmp_path / "s.toml").check()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\ufeffseeds = 3".encode("utf-16-le").decode("latin-1"), "is not in UTF-8; save it in"),
        ("picture = 3", "no entry 'picture'; did you mean 'pictures'"),
        ("pictures = [3]", "pictures must be a list of texts"),
        ("seeds = -1", "seeds must be"),
        ("seeds = [", "is not TOML"),
        ("samples = true", "samples must be a whole number"),
        ("[set]\nnitr = 4", "did you mean 'niter'"),
        ("[machine]\nthread = 4", "did you mean 'threads'"),
        ("set = 4", "must be a table"),
        ('[machine]\nthreads = "two"', r"\[machine\] threads must be a whole number from 1 on"),
        ("[machine]\nthreads = -3", "threads must be a whole number"),
        ("[machine]\nthreads = [1, 2]", "threads must be a whole number"),
        ("[machine]\nthreads = true", "threads must be a whole number"),
        ('[machine]\ncheckpointing = "no"', "checkpointing must be true or false"),
        ("[machine]\ndevice = 0", "device must be a text"),
        ("[machine]\nengine = 3", "engine must be a text"),
        ('train_mode = ["generation", "animation"]', "train_mode must be a text"),
        ('inception = ["weights"]', "inception must be a text"),
    ],
)
def test_a_damaged_file_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "s.toml").write_text(text, "latin-1")
    with pytest.raises(UserError, match=sentence):
        read_study(tmp_path / "s.toml")
