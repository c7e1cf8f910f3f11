"""The pieces that ``make_images.py`` draws the example pictures with."""

from . import animation, editing, generation, harmonization, inpainting, lakes, storm, translation
from .canvas import Scene

SCENES: dict[str, dict[str, Scene]] = {
    "Generation": {
        "ridges_at_sunset": generation.ridges_at_sunset,
        "stone_wall": generation.stone_wall,
        "birch_forest": generation.birch_forest,
        "aurora": lakes.aurora,
        "alpine_lake": lakes.alpine_lake,
    },
    "Animation": {
        "campfire": animation.campfire,
        "waves": animation.waves,
        "thunderstorm": storm.thunderstorm,
    },
    "Harmonization": {
        "starry_village": harmonization.starry_village,
        "misty_harbor": harmonization.misty_harbor,
        "poppy_meadow": harmonization.poppy_meadow,
    },
    "Editing": {
        "stones_on_sand": editing.stones_on_sand,
        "trees_on_hill": editing.trees_on_hill,
        "moss_on_wall": editing.moss_on_wall,
    },
    "Inpainting": {
        "wire_across_sky": inpainting.wire_across_sky,
        "figure_before_wall": inpainting.figure_before_wall,
        "date_stamp": inpainting.date_stamp,
    },
    "Translation": {
        "mountain_valley": translation.mountain_valley,
        "old_street": translation.old_street,
    },
}
