"""Names are translated by table."""

from vsr_core.checkpoints.keys import to_ours


def test_pairs_are_applied_in_order_each_to_every_occurrence():
    assert to_ours("a.a.weight", [("a.", "b."), ("b.b.", "c.")]) == "c.weight"


def test_a_name_that_no_pair_matches_stays():
    assert to_ours("weight", [("bias", "offset")]) == "weight"
