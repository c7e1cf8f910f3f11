"""Judge what an evaluation made, leave metrics.json and report.html beside it, read it again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from consingan.errors import UserError
from consingan.images.channels import trained
from consingan.images.deep import write_as
from consingan.images.georeference import Georeference, read_georeference
from consingan.images.io import read_picture, unit
from consingan.images.names import IMAGE_FORMATS, shown
from consingan.images.resize import resize, resize_to, training_factor
from consingan.machine.files import described, make_own_folder, write_json, write_text
from consingan.machine.precision import Arithmetic
from consingan.methods.contract import Reconstructs
from consingan.metrics.judge import Judgement
from consingan.metrics.reconstruction import Reconstruction, contrast
from consingan.metrics.sifid import Inception
from consingan.outputs.contract import Request, Say
from consingan.outputs.finish import Degree
from consingan.outputs.large import reduced
from consingan.outputs.ownership import recorded
from consingan.outputs.reconstruction import reconstruction
from consingan.outputs.truth import truth_of
from consingan.report.advice import start_of
from consingan.report.baseline import untrained
from consingan.report.gather import gather
from consingan.report.judging import given_back, judge_samples
from consingan.report.kinds import KINDS, facts_of, maps_of, verdicts
from consingan.report.large import how_judged, judge_windows
from consingan.report.material import Material
from consingan.report.page import report
from consingan.report.region import flat_distance
from consingan.report.verdicts import SMALL
from consingan.runs.earlier import training_file
from consingan.runs.files import EVALUATION
from consingan.runs.load import LoadedRun
from consingan.runs.weights import is_of_the_run


def evaluation_folder(run: Path, name: str) -> Path:
    """The folder for results inside a run's folder."""
    folder = run
    for part in Path(name).parts:
        folder = make_own_folder(folder / part)
    return folder


def write_basics(run: LoadedRun, folder: Path, image_format: str, say: Say) -> None:
    """The training image and what the fixed noise makes of it.

    Both show the place that the picture shows, so their TIFFs say where it lies.
    """
    model = run.model
    channels, real = model.config.channels, model.real
    place = _place(run, say) if IMAGE_FORMATS[image_format][0] == ".tif" else None
    if place is not None:
        say("georeference: kept for real_image and reconstruction; samples show no place on Earth")
    write_as(folder / "real_image", real, image_format, channels, place)
    if isinstance(model, Reconstructs):
        write_as(folder / "reconstruction", reconstruction(model), image_format, channels, place)


def _place(run: LoadedRun, say: Say) -> Georeference | None:
    """Where the training image lies; of another file at its path, it would be the wrong place."""
    config = run.model.config
    file = training_file(run)
    try:
        if file is not None:
            place = read_georeference(file, config.page)
            return place and dataclasses.replace(place, factor=_factor(run, file))
        if read_georeference(config.input_name, config.page) is None:
            return None
    except UserError as error:
        say(f"Note: {error}")
        return None
    say(
        f"Note: no georeference is kept: {shown(config.input_name)} is not, or not any more, the "
        "picture that the run was trained on."
    )
    return None


def _factor(run: LoadedRun, file: Path) -> float | None:
    """The one factor by which its training made a picture smaller, if it was one for both sides."""
    config, real = run.model.config, run.model.real.cpu()
    image = trained(read_picture(file, config.reading), config.channels)
    own, size = ((x.shape[-2], x.shape[-1]) for x in (image, real))
    factor = None if own == size else training_factor(own, size)
    if factor is None:
        return None
    made = (resize(image, factor), resize_to(image, size))
    one, each = (float((x.clamp(-1, 1) - real).abs().mean()) for x in made)
    return factor if one <= each else None


def all_alike(model: Any, samples: Sequence[Tensor]) -> bool:
    """Whether random samples all but equal the training image: the model learned one image.

    Their mean difference from the reconstruction is compared with a fiftieth of the image's own
    spread. A model that does not yet give back the image has not learned it.
    """
    if len(samples) < 2 or not hasattr(model, "reconstruction"):
        return False
    base = reduced(reconstruction(model))
    spread = contrast(reduced(model.real))
    if float((base - reduced(model.real.cpu())).abs().mean()) > 0.25 * spread:
        return False
    differences = [float((reduced(s) - base).abs().mean()) for s in samples[:8]]
    return max(differences) < 0.02 * spread


METRICS_FILE = "metrics.json"
REPORT_FILE = "report.html"
FORMAT = 1


@dataclass(frozen=True)
class Extras:
    """How to judge: the weights for SIFID, whom to tell what is going on, the command typed.

    `baseline` is whether samples without training are made to compare with.
    """

    inception: Inception | None = None
    say: Say = field(default=lambda _: None)
    command: str = ""
    baseline: bool = False


def write_report(
    run: LoadedRun, folder: Path, made: Any, request: Request, extras: Extras
) -> Material:
    """Judge, and write `metrics.json` and `report.html` into `folder`."""
    with Arithmetic().scope(run.model.device):  # in full precision, as on a CPU
        material = dataclasses.replace(judged(run, made, extras), request=request)
        rivaled = KINDS[material.kind].rivaled and material.real.shape[1] == 3
        if extras.baseline and material.stages and rivaled:
            material = _with_baseline(material, request.seed, extras)
    write_json(folder / METRICS_FILE, metrics_record(material, request.seed))
    write_text(folder / REPORT_FILE, report(material))
    for verdict in verdicts(facts_of(material)):
        extras.say(f"{verdict.level}: {verdict.text} {verdict.advice}".rstrip())
    extras.say(f"report: {folder / REPORT_FILE}")
    return material


def _with_baseline(material: Material, seed: int, extras: Extras) -> Material:
    """With as many samples without training, judged by the same metrics."""
    count = len(material.samples)
    if not count:
        return material
    found = untrained(reduced(material.real), count, seed, extras.inception, extras.say)
    return dataclasses.replace(material, baseline=found)


def judged(run: LoadedRun, made: Any, extras: Extras) -> Material:
    """Collect everything that the page shows."""
    material = gather(run)
    kind = KINDS[material.kind]
    real = unit(material.real).to(run.model.device)  # metrics are computed where it lies
    pictures, judgement = kind.pictures(made), None
    if seen := kind.judged(pictures):
        judgement = judge_samples(material, seen, real.device, extras.say, extras.inception)
    material = dataclasses.replace(
        material,
        samples=pictures,
        maps=maps_of(reduced(real), pictures) if kind.mapped else (),
        made=made,
        judgement=judgement,
        quality=judgement.reconstruction if judgement else given_back(material),
        region=kind.region(real, made),
        windows=judge_windows(material.real, getattr(made, "windows", ())),
        flat=flat_distance(real) if min(real.shape[-2:]) < SMALL else None,
        evaluation=extras.command,
    )
    if said := how_judged(material):
        extras.say(said)
    return material


def metrics_record(material: Material, seed: int) -> dict[str, Any]:
    """What metrics.json holds; `Judgement.from_dict` reads the judgement back from it."""
    judgement = material.judgement or Judgement(0, {}, {}, material.quality)
    height, width = material.sizes[-1]
    record = {
        "format": FORMAT,
        "method": material.config.method,
        "train_mode": material.config.train_mode,
        "stages": len(material.sizes),
        "weights": material.weights,
        "width": width,
        "height": height,
        "seed": seed,
        **judgement.to_dict(),
        "verdicts": [asdict(verdict) for verdict in verdicts(facts_of(material))],
    }
    if material.baseline is not None:
        beside = {name: asdict(s) for name, s in material.baseline.judgement.metrics.items()}
        record["baseline"] = {"seconds": material.baseline.seconds, "metrics": beside}
    record |= KINDS[material.kind].figures(material.made) | described(truth_of(material.request))
    if start := start_of(material.made):
        record["start_stage"] = start
    if (finish := getattr(material.made, "finish", None)) is not None:
        names = ("finish_within", "finish_patch")
        record |= {"finish": finish, **{name: getattr(material.made, name) for name in names}}
    if material.windows is not None:
        record["windows"] = material.windows.to_json()
    return record if material.region is None else record | {"region": asdict(material.region)}


def kept_record(run: Path) -> dict[str, Any]:
    """What `metrics_record` left in a run's evaluation.

    Before releases noted the weights in it they did not note either where samples began, nor, at
    first, how they were finished; the evaluation's own record says what was asked for.

    Raises:
        OSError, ValueError: there is none, or it is damaged.
    """
    folder = run / EVALUATION
    record = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    if not isinstance(record, dict):
        raise ValueError(f"{METRICS_FILE} holds no object")
    asked = (recorded(folder) or {}).get("request")
    if "weights" in record or not isinstance(asked, dict):
        return record
    start, finish = next(iter(asked.get("start_stages") or ()), 0), asked.get("finish")
    found = {} if finish is None else {"finish": finish}
    return {"start_stage": start if isinstance(start, int) else 0, **found, **record}


class Stored(NamedTuple):
    """What `evaluate_model.py` left of a run as it is now; None and 0 where that is nothing.

    Attributes:
        judgement: the figures.
        degree: the finish of what was judged.
        start: the stage at which that began.
        truth: how near the enlarged picture, or the first fill, came to `--truth`.
    """

    judgement: Judgement | None = None
    degree: Degree | None = None
    start: int = 0
    truth: Reconstruction | None = None


def stored(run: LoadedRun, material: Material) -> Stored:
    """Read the figures of the run's own evaluation.

    Those of samples that kept the layout of its coarsest stages are not taken: they can be made
    anew.
    """
    try:
        record = kept_record(run.path)
        as_it_is = record["stages"] == len(material.sizes) and is_of_the_run(record, run.path)
        start = int(record.get("start_stage", 0))
        anew = KINDS[material.kind].mapped and (start or record["count"] < 1)
        if not as_it_is or anew:
            return Stored()
        level, within = record.get("finish"), float(record.get("finish_within", 0))
        patch = int(record.get("finish_patch", 0)) or None
        degree = None if level is None else Degree(float(level), within, patch)
        held = list(record.get("to_truth", {}).values()) or record.get("in_the_hole")
        truth = Reconstruction(held[0]["psnr"], held[0]["ssim"]) if held else None
        return Stored(Judgement.from_dict(record), degree, start, truth)
    except (OSError, UserError, ValueError, KeyError, TypeError):
        return Stored()  # it can be computed anew
