"""The doors of cascaded refinement, see `contract.Code`."""

from __future__ import annotations

from consingan.methods.crn.model import new_model
from consingan.methods.crn.training import CRNTraining
from consingan.methods.pair_code import PairCode

CODE = PairCode(new_model, CRNTraining)
fitted, begin, take_up, restore = CODE.fitted, CODE.begin, CODE.take_up, CODE.restore
