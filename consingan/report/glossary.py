"""The words that reports, sheets and options use, each in a sentence; docs/glossary.md has them."""

from __future__ import annotations

from html import escape
from importlib import metadata

from consingan.report.style import note

GLOSSARY: dict[str, str] = {
    "training image": "the one picture that a model learns from.",
    "sample": "a new picture that a trained model makes from random numbers.",
    "seed": "a number that chooses the random numbers; the same seed gives the same picture.",
    "run": "the folder of one training, with everything to use it, judge it or go on with it.",
    "stage": "one step from coarse to fine: each learns the picture at a larger size.",
    "iteration": "one round of learning within a stage.",
    "reconstruction": "what the model makes of one fixed set of random numbers that stands for the "
    "training image; close to it if training went well.",
    "PSNR": "how close the reconstruction is, in decibels; from 30 on the eye sees little.",
    "generator": "the network that makes pictures.",
    "critic": "the network that tells made pictures from the training image while both learn; also "
    "called discriminator.",
    "loss": "the figure that a network makes as small as it can while it learns.",
    "patch": "a small square of a picture, 7 pixels wide where metrics compare them.",
    "SWD": "sliced Wasserstein distance: how far a picture's patches, as a whole, are from those "
    "of the training image; 0 is the same, published samples have 3 to 14.",
    "copied area": "share of a sample that lies in large pieces of the training image as they are.",
    "largest piece": "share of a sample that is one piece of the training image, shifted or not; "
    "published samples have 0.01 to 0.27.",
    "new texture": "share of a sample whose patches are like none of the training image.",
    "diversity": "how much samples differ from one another, against the image's own contrast.",
    "novelty map": "a sample with colors for where in the training image each part comes from.",
    "interval": "where the mean would lie in 95 of 100 such evaluations.",
    "finish": "a sample made anew of the training image's own patches, its layout kept.",
    "naive image": "a picture of your own with something pasted, moved or painted into it.",
    "mask": "where the naive image was changed: white there, black elsewhere.",
    "composite": "the result inside the mask, the naive image's own pixels outside.",
    "hole": "the part of a picture that a training knows nothing of, and that is to be filled.",
    "seam": "how much stronger neighbors differ across a hole's edge than beside it; near 1 there "
    "is no edge to be seen.",
    "start stage": "the stage at which a picture enters or a film begins to move: 0 changes most.",
}
"""Word -> sentence, in the order in which one meets them."""


def glossary_section() -> str:
    """The words at the end of a report, to which its top leads."""
    rows = "".join(
        f"<tr><td>{escape(word)}</td><td>{escape(text)}</td></tr>"
        for word, text in GLOSSARY.items()
    )
    return (
        '<details id="words"><summary>Words on this page</summary>'
        f'<div class="scroll"><table class="narrow">{rows}</table></div>{_online()}</details>'
    )


def glossary_page() -> str:
    """The same as a page of the documentation."""
    rows = "\n".join(f"| {word} | {text} |" for word, text in GLOSSARY.items())
    return (
        "# Words\n\nWhat reports, sheets and options mean by their words. The figures of a report "
        "are explained one by one\nin [Judging and comparing](judging.md#the-metrics).\n\n"
        f"| word | means |\n| --- | --- |\n{rows}\n"
    )


def _online() -> str:
    """Where the documentation has the same, if the package knows its repository."""
    try:
        urls = metadata.metadata("consingan").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    for entry in urls:
        name, _, address = entry.partition(", ")
        if name == "Repository":
            return note(f"Also in the documentation: {address}/blob/main/docs/glossary.md")
    return ""
