"""The doors of pix2pix, see `contract.Code`."""

from __future__ import annotations

from consingan.methods.pair_code import PairCode
from consingan.methods.pix2pix.model import new_model
from consingan.methods.pix2pix.training import Pix2PixTraining

CODE = PairCode(new_model, Pix2PixTraining)
fitted, begin, take_up, restore = CODE.fitted, CODE.begin, CODE.take_up, CODE.restore
