"""Which device is taken, with and without a GPU."""

from __future__ import annotations

import pytest
import torch

from consingan.errors import UserError
from consingan.machine import device, execution
from consingan.machine.device import choose_device, describe
from consingan.machine.execution import Execution, Wanted


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(device, "_unusable", lambda _: "")


def test_auto_without_gpu_is_the_cpu_and_says_nothing(no_gpu):
    choice = choose_device()
    assert (choice.device, choice.note) == (torch.device("cpu"), "")


def test_gpu_0_without_cuda_goes_on_and_says_so(no_gpu):
    choice = choose_device(gpu=0)
    assert choice.device == torch.device("cpu")
    assert choice.note == "--gpu 0: there is no CUDA device here, going on with the CPU."


@pytest.mark.usefixtures("two_gpus")
def test_gpu_minus_1_is_the_cpu_and_says_nothing():
    choice = choose_device(gpu=-1)
    assert (choice.device, choice.note) == (torch.device("cpu"), "")


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "cuda:0"),
        ({"gpu": 1}, "cuda:1"),
        ({"device": "cuda"}, "cuda:0"),
        ({"device": "cuda:1"}, "cuda:1"),
        ({"device": "cuda:1", "gpu": 0}, "cuda:1"),
        ({"device": "cpu"}, "cpu"),
        ({"not_cuda": True}, "cpu"),
        ({"not_cuda": True, "gpu": 1}, "cpu"),
        ({"not_cuda": True, "device": "cuda"}, "cpu"),
    ],
)
def test_choices_with_two_gpus(options, expected):
    choice = choose_device(**options)
    assert choice.device == torch.device(expected)
    assert choice.note == ""


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("options", [{"gpu": 2}, {"device": "cuda:2"}])
def test_a_gpu_that_is_not_there(options):
    with pytest.raises(UserError, match="there are only 2 CUDA devices here"):
        choose_device(**options)


def test_a_second_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="--device cuda:1: there is only one CUDA device here"):
        choose_device(gpu=1)


@pytest.fixture
def no_apple(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def old_gpu(two_gpus, no_apple, monkeypatch):
    """The first of two cards is older than what this build of torch is made for."""

    def unusable(found):
        return "" if found.index else "no kernel image is available for execution on the device"

    monkeypatch.setattr(device, "_unusable", unusable)


@pytest.mark.usefixtures("old_gpu")
def test_where_the_first_card_does_not_compute_the_next_one_is_taken():
    choice = choose_device()
    assert choice.device == torch.device("cuda:1")
    assert choice.note == (
        "cuda:0 does not work (no kernel image is available for execution on the device), "
        "going on with cuda:1."
    )


def test_where_no_card_computes_the_cpu_is_taken(two_gpus, no_apple, monkeypatch):
    monkeypatch.setattr(device, "_unusable", lambda found: f"{found} is busy")
    choice = choose_device()
    assert choice.device == torch.device("cpu")
    assert choice.note == "cuda:0 does not work (cuda:0 is busy), going on with the CPU."


@pytest.mark.usefixtures("old_gpu")
def test_a_card_that_torch_has_no_kernels_for_is_left_alone():
    choice = choose_device(gpu=0)  # no other one is taken than the user named
    assert choice.device == torch.device("cpu")
    assert choice.note == (
        "cuda:0 does not work (no kernel image is available for execution on the device), "
        "going on with the CPU."
    )
    assert choose_device(gpu=1).device == torch.device("cuda:1")


@pytest.mark.usefixtures("old_gpu")
def test_a_card_asked_for_that_torch_has_no_kernels_for():
    with pytest.raises(UserError, match=r"--device cuda does not work \(no kernel image.*build of"):
        choose_device("cuda")


def test_of_a_busy_card_it_is_said_how_several_programs_share_it(two_gpus, monkeypatch):
    """In a study it is this program's own planning that holds a card in exclusive mode."""
    why = "CUDA error: CUDA-capable device(s) is/are busy or unavailable"
    monkeypatch.setattr(device, "_unusable", lambda _: why)
    with pytest.raises(UserError, match=r"busy or unavailable\); .*nvidia-cuda-mps-control -d"):
        choose_device("cuda:1")


def test_a_card_is_tried(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("CUDA error: no kernel image is available\nCompile with ...")

    assert device._unusable(torch.device("cpu")) == ""
    monkeypatch.setattr(torch, "ones", broken)
    assert device._unusable(torch.device("cpu")) == "CUDA error: no kernel image is available"


@pytest.fixture
def early_apple(monkeypatch):
    """A torch that knows Apple's GPUs, but not all that is needed on them."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(device, "_unusable", lambda _: "'aten::upsample_bicubic2d' is missing")


@pytest.mark.usefixtures("early_apple")
def test_an_apple_gpu_that_torch_lacks_kernels_for_is_left_alone():
    choice = choose_device()
    assert choice.device == torch.device("cpu")
    why = "'aten::upsample_bicubic2d' is missing"
    assert choice.note == f"The Apple GPU does not work ({why}), going on with the CPU."
    with pytest.raises(UserError, match=r"--device mps does not work \('aten.*a newer torch"):
        choose_device("mps")


def test_an_apple_gpu_has_no_float64():
    assert device.complete(torch.device("mps")) == torch.device("cpu")
    for name in ("cpu", "cuda:1"):
        assert device.complete(torch.device(name)) == torch.device(name)


def test_a_full_card_works(monkeypatch):
    """What to do about memory is said by whoever needs it."""

    def full(*_, **__):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to ...")

    monkeypatch.setattr(torch, "ones", full)
    assert device._unusable(torch.device("cpu")) == ""


def test_mps_where_it_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(device, "_unusable", lambda _: "")
    assert choose_device().device == torch.device("mps")
    note = choose_device(gpu=0).note
    assert "going on with the Apple GPU" in note


@pytest.mark.parametrize("said", [{"gpu": -1, "not_cuda": True}, {"gpu": -1, "device": "cpu"}])
def test_flags_that_name_the_same_device_go_together(said):
    chosen = execution.choose_execution(Wanted(**said, precision="float32"))
    assert chosen.device == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "cuda:0 ", "CPU", ""])
def test_unknown_names(name):
    with pytest.raises(UserError, match="is unknown; use auto, cpu, cuda, cuda:N or mps"):
        choose_device(name)


def test_the_cpu_in_words():
    assert describe(torch.device("cpu")).startswith(f"cpu ({torch.get_num_threads()} thread")


def test_fewer_threads_are_advised_where_they_are_faster(monkeypatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    times = iter([0.6, 0.1, 0.05, 0.1])
    monkeypatch.setattr(device, "_small_convolutions", lambda: next(times))
    assert "6 times as fast as 4" in device.crowded(torch.device("cpu"))
    assert device.crowded(torch.device("cpu")) == ""
    assert device.crowded(torch.device("cuda")) == ""


@pytest.fixture
def threads(monkeypatch) -> list[int]:
    """The numbers of threads that were set, after four."""
    numbers = [4]
    monkeypatch.setattr(device, "_given_up", None)
    monkeypatch.setattr(device, "processors", lambda: None)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: numbers[-1])
    monkeypatch.setattr(torch, "set_num_threads", numbers.append)
    return numbers


def test_work_begins_with_one_thread_where_that_is_faster(monkeypatch, threads) -> None:
    monkeypatch.setattr(device, "_slower_together", lambda _: 126.0)
    note = device.settle_threads(torch.device("cpu"))
    assert "126 times as fast as 4 now" in note
    assert "--threads 4" in note
    assert threads[-1] == 1


def test_a_fork_keeps_its_one_thread(monkeypatch, threads) -> None:
    """Torch would wait for the others for ever, of which it has the names alone."""
    monkeypatch.setattr(device, "_slower_together", lambda _: 126.0)
    device.settle_threads(torch.device("cpu"))
    monkeypatch.setattr(device, "forked", lambda: True)
    before = list(threads)
    assert device.settle_threads(torch.device("cpu")) == ""
    assert threads == before


def test_a_busy_moment_is_not_for_ever(monkeypatch, threads) -> None:
    """A page's process begins many things; what is measured is the number before any of them."""
    times = iter([126.0, 90.0, 0.6])
    monkeypatch.setattr(device, "_slower_together", lambda _: next(times))
    notes = [device.settle_threads(torch.device("cpu")) for _ in range(3)]
    assert ["as 4 now" in note for note in notes] == [True, True, False]
    assert threads[-1] == 4


@pytest.mark.parametrize(("share", "used"), [(2.0, 2), (1.5, 2), (0.5, 1), (8.0, 4)])
def test_a_container_computes_with_as_many_threads_as_it_may(
    monkeypatch, threads, share: float, used: int
) -> None:
    monkeypatch.setattr(device, "_slower_together", lambda _: 1.0)
    monkeypatch.setattr(device, "processors", lambda: share)
    note = device.settle_threads(torch.device("cpu"))
    assert threads[-1] == used
    assert (f"Of the 4 processors this container may use {used}" in note) == (used < 4)


def test_all_threads_stay_where_they_help(monkeypatch, threads) -> None:
    monkeypatch.setattr(device, "_slower_together", lambda _: 1.2)
    assert device.settle_threads(torch.device("cpu")) == ""
    assert set(threads) == {4}


@pytest.mark.parametrize("threads_typed", [None, "3"])
def test_a_number_that_was_chosen_stays(monkeypatch, threads, threads_typed) -> None:
    monkeypatch.setattr(device, "_slower_together", lambda _: 126.0)
    if threads_typed:
        monkeypatch.setenv("OMP_NUM_THREADS", threads_typed)
        assert device.settle_threads(torch.device("cpu")) == ""
    else:
        chosen = execution.settled(Execution(torch.device("cpu")), Wanted(threads=4))
        assert chosen.notes == ()
    assert threads == [4]
