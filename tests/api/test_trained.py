from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import SETTINGS, assert_same, make_trainer, picture, save_picture
from pictures import texture
from PIL import Image
from torch import Tensor

import consingan
from consingan.errors import UserError
from consingan.images.io import read_image
from consingan.images.mask_files import read_mask
from consingan.metrics.judge import judge
from consingan.settings.reading import parse_range
from consingan.training.records import Record, StageRecord, StageStarted, StepRecord

SMALL: dict[str, Any] = {
    **{k: v for k, v in SETTINGS.items() if k != "input_name"},
    "device": "cpu",
    "precision": "float32",
}


@pytest.fixture(scope="module")
def model() -> consingan.TrainedModel:
    return consingan.train(picture(), **SMALL)


def weights(model: consingan.TrainedModel) -> dict[str, Tensor]:
    return dict(model.model.generator.state_dict())


def test_training_on_a_tensor_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = consingan.train(picture(), **SMALL)
    assert model.folder is None
    assert list(tmp_path.iterdir()) == []
    assert model.config.train_stages == 3
    assert model.size == (22, 26)
    assert torch.equal(model.real, picture())


def test_numbers_of_numpy_are_numbers(model: consingan.TrainedModel) -> None:
    given = {"niter": np.int64(SMALL["niter"]), "lr_scale": np.float64(SMALL.get("lr_scale", 0.1))}
    trained = consingan.train(picture(), **{**SMALL, **given, "batch_norm": np.bool_(False)})
    assert trained.config == model.config
    assert type(trained.config.niter) is int


@pytest.mark.parametrize("three", [np.int64(3), np.uint8(3), np.array(3), torch.tensor(3)])
def test_a_seed_of_any_library_is_that_seed(model: consingan.TrainedModel, three: Any) -> None:
    assert torch.equal(model.sample(seed=three), model.sample(seed=3))
    assert torch.equal(next(model.animate(1, seed=three)), next(model.animate(1, seed=3)))


@pytest.mark.parametrize("size", [np.array([20, 30]), [20, 30], torch.tensor([20, 30])])
def test_a_size_may_be_any_two_numbers(model: consingan.TrainedModel, size: Any) -> None:
    assert model.sample(size=size).shape == (1, 3, 20, 30)


def test_one_number_is_a_square(model: consingan.TrainedModel) -> None:
    assert model.sample(size=torch.tensor(20)).shape == (1, 3, 20, 20)


def test_models_can_be_kept_in_sets(model: consingan.TrainedModel) -> None:
    assert len({model, replace(model), model}) == 2


@contextlib.contextmanager
def default_dtype(kind: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(kind)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


AMBIENTS: dict[str, Callable[[], contextlib.AbstractContextManager[Any]]] = {
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "casts": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "another type": lambda: default_dtype(torch.float64),
    "another device": lambda: torch.device("meta"),
}
"""What a caller's program may have set."""


@pytest.mark.parametrize("ambient", AMBIENTS)
def test_what_the_caller_has_set_of_torch_changes_nothing(
    model: consingan.TrainedModel, ambient: str
) -> None:
    image, sample, frame = picture(), model.sample(seed=3), list(model.animate(2, seed=3))[1]
    with AMBIENTS[ambient]():
        before = torch.is_grad_enabled(), torch.get_default_dtype(), torch.empty(0).device
        trained = consingan.train(image, **SMALL)
        pictures = trained.sample(seed=3), model.sample(seed=3), list(model.animate(2, seed=3))[1]
        after = torch.is_grad_enabled(), torch.get_default_dtype(), torch.empty(0).device
    assert after == before
    assert_same(weights(trained), weights(model))
    for made, expected in zip(pictures, (sample, sample, frame), strict=True):
        assert torch.equal(made, expected)


@pytest.mark.parametrize("ambient", AMBIENTS)
def test_nor_does_it_what_is_read_and_judged(ambient: str, tmp_path: Path) -> None:
    photo, grain = save_picture(tmp_path / "photo.png"), picture(seed=3)
    mask = tmp_path / "mask.png"
    Image.fromarray(np.pad(np.full((5, 5), 255, np.uint8), 9)).save(mask)

    def found() -> list[Any]:
        image = read_image(photo)
        swd = judge((image + 1) / 2, [grain.abs(), image.abs()]).metrics["swd"].mean
        return [image, read_mask(mask, (30, 40)), swd]

    def with_warnings_heard() -> list[Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return found()

    expected = with_warnings_heard()
    with AMBIENTS[ambient]():
        made = with_warnings_heard()
    assert [m.dtype for m in made[:2]] == [torch.float32] * 2
    for one, other in zip(made[:2], expected[:2], strict=True):
        assert torch.equal(one, other)
    assert made[2] == expected[2]


def test_a_warning_names_the_callers_line(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="brighter half") as caught:
        consingan.train(picture().abs(), **SMALL)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="4095") as caught:
        read_image(saved_deep(tmp_path / "deep.png"))
    assert caught[0].filename == __file__


def saved_deep(path: Path) -> Path:
    """A picture of 12 bits, of which it is said how it is read."""
    Image.fromarray(np.linspace(0, 4095, 400).astype(np.uint16).reshape(20, 20)).save(path)
    return path


def test_a_model_is_shown_in_a_line(model: consingan.TrainedModel) -> None:
    assert repr(model) == "<TrainedModel: consingan, generation, 26x22 px, not saved>"
    assert repr(replace(model, folder=Path("run"))).endswith("26x22 px, run>")


def test_it_is_the_training_under_the_commands(model: consingan.TrainedModel) -> None:
    trainer = make_trainer()
    for _ in trainer.run():
        pass
    assert_same(weights(model), trainer.model.generator.state_dict())


def test_training_on_a_path_and_loading_it_back(tmp_path: Path) -> None:
    file = save_picture(tmp_path / "my-photo.v2.png")
    trained = consingan.train(str(file), output_dir=tmp_path / "runs", **SMALL)
    assert trained.folder is not None
    assert trained.folder.parent == tmp_path / "runs" / "my-photo.v2"
    assert_same(weights(trained), weights(consingan.train(read_image(file), **SMALL)))
    loaded = consingan.load(trained.folder, device="cpu", precision="float32")
    assert loaded.config == trained.config
    assert loaded.folder == trained.folder
    assert_same(weights(loaded), weights(trained))
    newest = consingan.load(tmp_path / "runs/my-photo.v2/...", device="cpu", precision="float32")
    assert newest.folder == trained.folder  # as commands take it
    torch.testing.assert_close(
        loaded.sample(3, seed=2), trained.sample(3, seed=2), rtol=0, atol=1e-5
    )
    torch.testing.assert_close(loaded.reconstruction(), trained.reconstruction(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("given", [(0, 300), [0, 300], np.array([0, 300]), (0, np.int64(300))])
def test_a_range_may_be_a_pair(given: Any) -> None:
    pair = {"method": "pix2pix", "condition": "edges", "max_size": 32, "niter": 1, "levels": 2}
    pixels = texture(30, 32).astype(np.uint16)
    trained = consingan.train(pixels, value_range=given, condition_range=given, **pair)
    assert trained.config.value_range.startswith("0,300")
    assert trained.config.condition_range == "0,300"


@pytest.mark.parametrize(
    "given", [(None, None), (0.5, 0.5), (texture(9, 9), [texture(9, 9)]), ("a.png", "b.png")]
)
def test_what_is_no_picture_to_judge_is_named(given: Any) -> None:
    with pytest.raises(UserError, match="Expected the samples as a tensor"):
        judge(*given)
    with pytest.raises(UserError, match="Expected the real picture as a tensor"):
        judge(given[0], (picture() + 1) / 2)


@pytest.mark.parametrize(("n", "size"), [(1, None), (5, None), (2, (33, 47)), (2, (12, 60))])
def test_samples(model: consingan.TrainedModel, n: int, size: tuple[int, int] | None) -> None:
    samples = model.sample(n, size=size, seed=1)
    assert samples.shape == (n, 3, *(size or model.size))
    assert samples.dtype == torch.float32
    assert samples.device.type == "cpu"
    assert samples.abs().max() <= 1
    assert not samples.requires_grad
    assert torch.equal(samples, model.sample(n, size=size, seed=1))
    assert not torch.equal(samples, model.sample(n, size=size, seed=2))
    alone = model.sample(1, size=size, seed=1)  # kernels may round by the shape of a batch
    torch.testing.assert_close(samples[:1], alone, rtol=0, atol=1e-5)


def test_other_pictures(model: consingan.TrainedModel) -> None:
    assert model.reconstruction().shape == model.real.shape == (1, 3, 22, 26)
    frames = list(model.animate(3, seed=1))
    assert [f.shape for f in frames] == [(1, 3, 22, 26)] * 3
    assert not torch.equal(frames[0], frames[1])


def test_composing(harmonization_run: Path, model: consingan.TrainedModel) -> None:
    loaded = consingan.load(harmonization_run, device="cpu", precision="float32")
    naive = picture(44, 52, seed=3)
    mask = torch.zeros(1, 1, 44, 52)
    made = loaded.compose(naive, mask)
    assert torch.equal(made, naive)  # nothing was changed, so nothing changes
    assert not torch.equal(loaded.compose(naive), naive)
    real = loaded.real
    assert torch.equal(loaded.compose(real, "auto"), real)
    with pytest.raises(UserError, match=r"[^-]train_mode generation"):
        model.compose(naive)


@pytest.fixture(scope="module")
def shrunk(tmp_path_factory: pytest.TempPathFactory) -> consingan.TrainedModel:
    """Trained for harmonization on a file of twice the training size, all grain."""
    photo = tmp_path_factory.mktemp("shrunk") / "photo.png"
    Image.fromarray(texture(44, 52)).save(photo)
    return consingan.train(photo, train_mode="harmonization", **SMALL)


@pytest.mark.parametrize(("opacity", "said"), [(255, "it is erased"), (0, "a layer that covers")])
def test_what_is_kept_of_a_transparent_picture_is_the_training_image_at_its_own_size(
    shrunk: consingan.TrainedModel, opacity: int, said: str
) -> None:
    rgba = np.dstack([texture(44, 52), np.full((44, 52), opacity, np.uint8)])
    rgba[4:8, 4:8] = (250, 20, 200, 255 - opacity)
    with pytest.warns(UserWarning, match="The mask is"), pytest.warns(UserWarning, match=said):
        made = shrunk.compose(rgba)
    photo = read_image(shrunk.config.input_name)
    far = (..., slice(36, None), slice(40, None))  # hardly reached by the softened mask
    assert torch.allclose(made[far], photo[far], atol=0.01)
    assert not torch.equal(made[..., 4:8, 4:8], photo[..., 4:8, 4:8])


def test_strokes_may_be_drawn_on_the_training_image_at_its_own_size(
    shrunk: consingan.TrainedModel, tmp_path: Path
) -> None:
    drawn = texture(44, 52)
    drawn[4:8, 4:8] = 255 - drawn[4:8, 4:8]
    Image.fromarray(drawn).save(tmp_path / "mask.png")
    naive = picture(44, 52, seed=3)
    with pytest.warns(UserWarning, match="drawn on the photograph"):
        made = shrunk.compose(naive, tmp_path / "mask.png")
    assert torch.allclose(made[..., 36:, 40:], naive[..., 36:, 40:], atol=0.01)


def test_enlarging(model: consingan.TrainedModel) -> None:
    settings: dict[str, Any] = {"method": "singan", "max_size": 24, "niter": 1, "min_size": 18}
    photo = picture()
    trained = consingan.train(photo, train_mode="super_resolution", sr_factor=1.5, **settings)
    assert trained.enlarge(seed=1).shape[-2:] == trained.model.enlarged_size
    assert torch.equal(trained.enlarge(seed=1), trained.enlarge(seed=1))
    for other in (model, consingan.train(photo, **settings)):
        with pytest.raises(UserError, match="super-resolution"):
            other.enlarge()


def test_the_callback_sees_every_record() -> None:
    seen: list[Record] = []
    consingan.train(picture(), callback=seen.append, **SMALL)
    kinds = [StageStarted, StepRecord, StepRecord, StepRecord, StageRecord] * 3
    assert [type(r) for r in seen] == kinds


def test_an_error_in_the_callback_comes_through() -> None:
    def fail(record: Record) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consingan.train(picture(), callback=fail, **SMALL)


def test_the_callers_tensor_is_left_alone() -> None:
    image = picture().double().requires_grad_()
    model = consingan.train(image, **SMALL)
    with torch.no_grad():
        image.fill_(0)
    assert torch.equal(model.real, picture())
    assert image.grad is None


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (torch.zeros(22), "shape"),
        (torch.zeros(1, 4, 22, 26), "shape"),
        (torch.zeros(2, 3, 22, 26), "shape"),
        (torch.zeros(1, 3, 22, 26, dtype=torch.complex64), "complex64"),
        (torch.full((1, 3, 22, 26), 255.0), r"\[-1, 1\]"),
        (torch.full((1, 3, 22, 26), torch.nan), r"\[-1, 1\]"),
    ],
)
def test_tensors_that_are_no_pictures(image: Tensor, said: str) -> None:
    with pytest.raises(UserError, match=said):
        consingan.train(image, **SMALL)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sweetness": 1}, "There is no setting 'sweetness'; see .*ConSinGANConfig"),
        ({"iterations": 3, "min_sise": 9}, "There is no setting 'iterations'"),
        ({"nitre": 3}, "There is no setting 'nitre'; did you mean 'niter'?"),
        ({"manualSeed": 3}, "There is no setting 'manualSeed'; did you mean 'manual_seed'?"),
        ({"Gsteps": 3}, "did you mean 'g_steps'?"),
        ({"input_name": "a.png"}, "leave input_name out"),
        ({"fine_tune": True}, "fine_tune=True and base=..., the folder of a run, go together"),
        ({"base": "somewhere"}, "fine_tune=True and base=..., the folder of a run, go together"),
        ({"precision": "float16"}, "precision float16 is unknown"),
        ({"naive_img": Path("naive.png")}, "naive_img does not go with train_mode generation"),
        ({"nfc": 0}, "nfc 0 must be 1 or more"),
        ({"niter": 2.5}, "niter 2.5 must be a whole number"),
        ({"tile": True}, "tile True must be one of none, both"),
        ({"train_mode": "juggling"}, "train_mode juggling is unknown"),
        ({"device": "toaster"}, "device toaster is unknown"),
        ({"device": 99}, "device cuda:99: there"),
        ({"device": -1}, "device=-1 is unknown"),
        ({"callback": 3}, "callback=3 is no function"),
        ({"output_dir": 3}, "3 is no path"),
        ({"base": 3, "fine_tune": True}, "3 is no path"),
        ({"value_range": 3}, "value_range 3 must be two numbers"),
        ({"value_range": np.int64(3)}, "value_range 3 must be two numbers"),
        ({"value_range": ()}, "value_range '' must be two numbers MIN,MAX"),
        ({"value_range": (0, "a")}, "value_range 0,a must be two numbers"),
        ({"value_range": (255, 0)}, "value_range 255,0 must be two numbers"),
        ({"page": "2"}, "page '2' must be a whole number"),
        (
            {"mask": np.zeros((30, 40, 3))},
            r"mask is an array of shape \(30, 40, 3\); give the path",
        ),
        ({"naive_img": torch.zeros(1, 3, 9, 9)}, r"naive_img is an array of shape \(1, 3, 9, 9\)"),
        ({"mask": Image.new("L", (9, 9))}, "mask is Image; give the path of a file as text"),
        ({"method": ["consingan"]}, r"method \['consingan'\] is unknown"),
        ({"min_size": 100}, "min_size 100 is above max_size 26"),
        ({"min_size": 24}, "below min_size 24"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        consingan.train(picture(), **{"output_dir": tmp_path / "out", **SMALL, **settings})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"n": 0}, {"n": -2}, {"n": 1.5}, {"size": (0, 20)}, {"size": (20, -1)}, {"size": (20,)},
        {"size": (20.5, 20)}, {"size": (10**6, 10**6)},
        {"size": 20.5}, {"size": "20"}, {"size": b"20"}, {"size": {20, 30}},
        {"size": np.array(2.0)},
        {"seed": 1.5}, {"seed": "1"}, {"seed": None}, {"seed": np.float32(1)},
    ],
)  # fmt: skip
def test_samples_that_cannot_be_made(
    model: consingan.TrainedModel, options: dict[str, Any]
) -> None:
    with pytest.raises(UserError):
        model.sample(**options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"frames": 0}, "frames=0 must be a whole number"),
        ({"alpha": 2}, "alpha=2 must be 0 to 1"),
        ({"beta": float("nan")}, "beta=nan must be 0 to 1"),
        ({"start_stage": 9}, "use 0 to 2"),
        ({"size": (0, 9)}, "both positive"),
    ],
)
def test_animations_that_cannot_be_made(
    model: consingan.TrainedModel, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        model.animate(**options)


def test_what_is_wrong_with_a_frame_names_arguments(
    model: consingan.TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> Iterator[torch.Tensor]:
        yield picture()
        raise UserError("Frames take more memory than is free; use a smaller --size.")

    monkeypatch.setattr(type(model.model), "frames", refused)
    frames = model.animate(2)
    assert torch.equal(next(frames), picture())
    with pytest.raises(UserError, match=r"use a smaller size\.$"):
        next(frames)


@pytest.mark.parametrize(
    ("naive", "options", "said"),
    [
        (picture().expand(2, -1, -1, -1), {}, "of shape"),
        (255 * picture(), {}, r"\[-1, 1\]"),
        (picture(), {"fit": "zoom"}, "fit='zoom' is unknown; use exact, crop, stretch"),
        (picture(), {"mask": torch.ones(1, 3, 22, 26)}, "of shape"),
        (picture(), {"mask": torch.full((1, 1, 22, 26), 255.0)}, r"\[0, 1\]"),
        (picture(), {"mask": torch.full((1, 1, 22, 26), torch.nan)}, r"\[0, 1\]"),
        (picture(22, 60), {}, "fit crop or fit stretch"),
        (picture(), {"start_stage": 9}, "use 0 to 2"),
    ],
)
def test_pictures_that_cannot_be_worked_on(
    harmonization_run: Path, naive: Tensor, options: dict[str, Any], said: str
) -> None:
    loaded = consingan.load(harmonization_run, device="cpu", precision="float32")
    with pytest.raises(UserError, match=said):
        loaded.compose(naive, **options)


def test_missing_things(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no picture"):
        consingan.train(tmp_path / "none.png", **SMALL)
    with pytest.raises(UserError, match="There is no run folder"):
        consingan.load(tmp_path / "none")
    with pytest.raises(UserError, match="None is no path; give one as text"):
        consingan.load(None)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="'' is no path"):  # an unset variable, not this folder
        consingan.load("")
    with pytest.raises(AttributeError, match="no attribute 'juggle'"):
        consingan.juggle  # noqa: B018


def test_paths_may_begin_at_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    save_picture(tmp_path / "picture.png")
    model = consingan.train(
        "~/picture.png",
        output_dir="~/runs",
        train_mode="harmonization",
        naive_img=Path("~/picture.png"),
        **SMALL,
    )
    assert model.config.naive_img == str(tmp_path / "picture.png")
    (run,) = (tmp_path / "runs" / "picture").iterdir()
    again = consingan.load(f"~/runs/picture/{run.name}")
    naive = read_image(tmp_path / "picture.png")
    assert torch.equal(again.compose("~/picture.png"), again.compose(naive))


def test_a_new_a_is_read_as_that_of_the_training_not_by_the_range_of_the_image(
    tmp_path: Path,
) -> None:
    least = {"niter": 1, "max_size": 32, "ngf": 4, "device": "cpu", "precision": "float32"}
    model = consingan.train(
        picture(), method="pix2pix", condition="gray", value_range="0,4095", **least
    )
    levels = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32)
    Image.fromarray(levels).save(tmp_path / "a.png")
    expected = model.translate(read_image(tmp_path / "a.png"))
    assert torch.equal(model.translate(tmp_path / "a.png"), expected)
    with pytest.raises(
        UserError, match=r"with train_mode translation; it needs a .* harmonization"
    ):
        model.compose(picture())


def test_what_no_task_of_the_method_makes_is_left_to_another_method() -> None:
    model = consingan.train(picture(), method="patches")
    with pytest.raises(UserError, match="patches makes no reconstruction; train one by another"):
        model.reconstruction()


@pytest.mark.parametrize("typed", [{}, {"value_range": "0,4000"}, {"condition_range": "0,4000"}])
def test_a_new_a_is_read_by_the_range_of_a_deep_one(tmp_path: Path, typed: dict[str, str]) -> None:
    least = {"niter": 1, "max_size": 32, "ngf": 4, "device": "cpu", "precision": "float32"}
    levels = np.linspace(1000, 3000, 32 * 32).astype(np.int32).reshape(32, 32)
    Image.fromarray(levels.astype(np.uint16)).save(tmp_path / "a.png")
    Image.fromarray((levels // 2).astype(np.uint16)).save(tmp_path / "new.png")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = consingan.train(
            picture(32, 32), method="pix2pix", condition=tmp_path / "a.png",
            output_dir=tmp_path, **least, **typed,
        )  # fmt: skip
    low, high = (0, 4000) if typed else (1000, 3000)
    assert parse_range(model.config.condition_range) == (low, high)
    unit = torch.from_numpy(((levels - low) / (high - low)).astype(np.float32))
    torch.testing.assert_close(model.model.condition[0, 0], unit * 2 - 1, rtol=0, atol=1e-5)
    new = torch.from_numpy(((levels // 2 - low) / (high - low)).clip(0, 1).astype(np.float32))
    expected = model.translate((new * 2 - 1).expand(1, 3, -1, -1))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        made = consingan.load(model.folder, device="cpu", precision="float32").translate(
            tmp_path / "new.png"
        )
    torch.testing.assert_close(made, expected, rtol=0, atol=1e-3)
    outside = [str(note.message) for note in said if "new.png" in str(note.message)]
    assert bool(outside) != bool(typed)  # half of the numbers are below the range of A
