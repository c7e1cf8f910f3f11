"""Settings: defaults, checks, precedence, JSON."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consingan.errors import UserError
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.tasks import TASKS, fine_tuned
from consingan.nn.architecture import ACTIVATIONS
from consingan.settings.layers import choose
from consingan.settings.option import flag_name

FIELDS = {field.name: field for field in dataclasses.fields(ConSinGANConfig)}


def test_published_defaults():
    config = ConSinGANConfig()
    published = {
        "train_mode": "generation", "train_stages": 6, "train_depth": 3, "lr_scale": 0.1,
        "min_size": 25, "max_size": 250, "niter": 2000, "nfc": 64, "ker_size": 3, "num_layer": 3,
        "padd_size": 0, "nc_im": 3, "activation": "lrelu", "lrelu_alpha": 0.05,
        "batch_norm": False, "lr_g": 5e-4, "lr_d": 5e-4, "beta1": 0.5, "beta2": 0.999,
        "gamma": 0.1, "g_steps": 3, "d_steps": 3, "lambda_grad": 0.1, "alpha": 10, "noise_amp": 0.1,
        "penalty_every": 1,
    }  # fmt: skip
    assert {name: getattr(config, name) for name in published} == published
    config.check()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("generation", {}),
        ("retarget", {}),
        ("animation", {"min_size": 20}),
        (
            "harmonization",
            {"train_stages": 3, "min_size": 120, "lrelu_alpha": 0.3, "niter": 1000,
             "batch_norm": True},
        ),
        ("editing", {"niter": 1000, "batch_norm": True}),
    ],
)  # fmt: skip
def test_recommended_settings_of_the_tasks(mode, expected):
    assert TASKS[mode].overrides == expected


@pytest.mark.parametrize(
    ("mode", "border", "spacing", "output", "dilation"),
    [
        ("generation", "noise", "log", "samples", 0),
        ("retarget", "zero", "log", "samples", 0),
        ("animation", "noise", "log", "film", 0),
        ("harmonization", "zero", "geometric", "composite", 7),
        ("editing", "zero", "log", "composite", 20),
    ],
)
def test_table_of_tasks(mode, border, spacing, output, dilation):
    row = TASKS[mode]
    found = (row.border, row.spacing, row.output, row.mask_dilation)
    assert found == (border, spacing, output, dilation)
    assert row.takes_naive == (output == "composite")


def test_fine_tuning_changes_the_source_alone():
    for task in TASKS.values():
        changed = fine_tuned(task)
        assert changed.source is task.entry
        assert dataclasses.replace(changed, source=task.source) == task


def test_precedence_and_origin():
    chosen = choose(
        ConSinGANConfig,
        {
            "task": {"niter": 1000, "min_size": 120, "batch_norm": True},
            "preset": {"niter": 300},
            "typed": {"min_size": 30, "niter": None, "train_stages": None},
        },
    )
    assert (chosen.config.niter, chosen.origin["niter"]) == (300, "preset")
    assert (chosen.config.min_size, chosen.origin["min_size"]) == (30, "typed")
    assert (chosen.config.batch_norm, chosen.origin["batch_norm"]) == (True, "task")
    assert (chosen.config.train_stages, chosen.origin["train_stages"]) == (6, "default")
    assert set(chosen.origin) == set(FIELDS)


def test_typed_false_wins_over_recommended_true():
    chosen = choose(ConSinGANConfig, {"task": {"batch_norm": True}, "typed": {"batch_norm": False}})
    assert chosen.config.batch_norm is False
    assert chosen.origin["batch_norm"] == "typed"


@given(
    stages=st.integers(1, 20),
    min_size=st.integers(21, 100),
    niter=st.integers(1, 10**6),
    rate=st.floats(1e-9, 1),
    scale=st.floats(0, 1),
    activation=st.sampled_from(ACTIVATIONS),
    mode=st.sampled_from(sorted(TASKS)),
    norm=st.booleans(),
    name=st.text(),
)
@settings(max_examples=60, deadline=None)
def test_json_round_trip(stages, min_size, niter, rate, scale, activation, mode, norm, name):
    config = ConSinGANConfig(
        input_name=name, train_mode=mode, train_stages=stages, min_size=min_size, niter=niter,
        lr_g=rate, lr_scale=scale, activation=activation, batch_norm=norm,
    )  # fmt: skip
    assert ConSinGANConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_json_of_an_older_release_takes_defaults():
    config = ConSinGANConfig.from_json({"niter": 7})
    assert config == ConSinGANConfig(niter=7, value_range="full,8")  # which 1.0 did not have


def test_json_of_unknown_settings_is_refused():
    with pytest.raises(UserError, match="Unknown setting 'colour'"):
        ConSinGANConfig.from_json({"niter": 7, "colour": 3})


def test_a_config_is_never_assigned_to():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ConSinGANConfig().niter = 3  # type: ignore[misc]


NUMBERS = [name for name, field in FIELDS.items() if type(field.default) in (int, float)]


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_are_enforced_and_reached(name):
    """Each number refuses what lies just outside of its range; the bounds themselves are fine."""
    field, meta = FIELDS[name], FIELDS[name].metadata
    kind = type(field.default)
    step = 1 if kind is int else 1e-6
    assert meta["minimum"] is not None or meta["above"] is not None
    flag = f"--{flag_name(field)} "
    if meta["minimum"] is not None:
        _refused(name, kind(meta["minimum"]) - step, flag)
    if meta["above"] is not None:
        _refused(name, kind(meta["above"]), flag)
    if meta["maximum"] is not None:
        _refused(name, kind(meta["maximum"]) + step, flag)
        large = {"min_size": 2000, "max_size": 2000}  # so that the largest networks have room
        ConSinGANConfig(**large, **{name: kind(meta["maximum"])}).check()
    if meta["minimum"] is not None and name not in ("min_size", "max_size"):
        ConSinGANConfig(**{name: kind(meta["minimum"])}).check()


def _refused(name, value, flag):
    with pytest.raises(UserError) as error:
        ConSinGANConfig(**{name: value}).check()
    assert str(error.value).startswith(flag)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize("name", [n for n in NUMBERS if type(FIELDS[n].default) is float])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_must_be_finite(name, value):
    with pytest.raises(UserError, match="must be a finite number"):
        ConSinGANConfig(**{name: value}).check()


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("niter", "7", "a whole number"),
        ("niter", 7.0, "a whole number"),
        ("niter", True, "a whole number"),
        ("batch_norm", 1, "True or False"),
        ("lr_g", "fast", "a number"),
        ("alpha", True, "a number"),
        ("input_name", 3, "text"),
        ("train_mode", None, "one of generation, retarget"),
    ],
)
def test_types_are_checked(name, value, kind):
    with pytest.raises(UserError, match=f"--{name} {value!r} must be {kind}"):
        ConSinGANConfig(**{name: value}).check()


def test_whole_numbers_are_fine_where_fractions_are():
    ConSinGANConfig(alpha=100, lr_scale=1, noise_amp=0).check()


@pytest.mark.parametrize("side", [1, 3, 5, 7])
def test_padding_up_to_half_the_kernel(side):
    largest = (side - 1) // 2
    ConSinGANConfig(ker_size=side, padd_size=largest, min_size=40).check()
    with pytest.raises(UserError, match=f"use {largest} or less"):
        ConSinGANConfig(ker_size=side, padd_size=largest + 1, min_size=40).check()


def test_shape_carries_every_number_of_the_network():
    config = ConSinGANConfig(
        nfc=5, num_layer=2, ker_size=5, padd_size=1, activation="elu", lrelu_alpha=0.4,
        batch_norm=True,
    )  # fmt: skip
    assert dataclasses.asdict(config.architecture) == {
        "channels": 5, "layers": 2, "kernel": 5, "padding": 1, "image_channels": 3,
        "activation": "elu", "slope": 0.4, "norm": True,
    }  # fmt: skip


HEADINGS = ("training", "network", "optimization", "own picture", "hole")  # of the options' help


def test_every_setting_has_help_and_a_home():
    for field in FIELDS.values():
        assert len(field.metadata["help"]) > 10
        assert field.metadata["help"].endswith(".")
        assert field.metadata["group"] in HEADINGS
