"""Names are translated by table."""

import pytest
import torch

from vsr_core.checkpoints.keys import by_beginning, renamed, to_ours, without_prefix
from vsr_core.errors import CheckpointError


def test_pairs_are_applied_in_order_each_to_every_occurrence():
    assert to_ours("a.a.weight", [("a.", "b."), ("b.b.", "c.")]) == "c.weight"


def test_a_name_that_no_pair_matches_stays():
    assert to_ours("weight", [("bias", "offset")]) == "weight"


def test_only_the_beginning_is_replaced_and_only_by_the_first_that_fits():
    table = [("out.0.", "norm."), ("norm.", "wrong."), ("o", "wrong.")]
    assert by_beginning("out.0.to_out.0.weight", table) == "norm.to_out.0.weight"


def test_a_name_with_no_known_beginning_stays():
    assert by_beginning("to_out.0.weight", [("out.0.", "norm.")]) == "to_out.0.weight"


def test_tensors_get_their_new_names():
    one, two = torch.zeros(1), torch.ones(1)
    assert renamed({"a": one, "b": two}, str.upper) == {"A": one, "B": two}


def test_two_tensors_with_one_new_name_are_refused():
    with pytest.raises(CheckpointError, match="called A after translation; A is the second"):
        renamed({"a": torch.zeros(1), "A": torch.zeros(1)}, str.upper)


def test_only_names_with_the_prefix_are_kept_and_lose_it():
    one = torch.zeros(1)
    assert without_prefix({"vae.a.vae.b": one, "unet.vae.c": one}, "vae.") == {"a.vae.b": one}
