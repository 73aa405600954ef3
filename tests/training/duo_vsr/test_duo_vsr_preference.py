"""Preference pairs are the best and the worst of several restorations, and keep on disk."""

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision_operators import make_torchvision_importable

from vsr_core.errors import CheckpointError, MissingPackageError, SettingError
from vsr_core.training.data import pairs as clip_pairs
from vsr_core.training.duo_vsr.latents import Latents
from vsr_core.training.duo_vsr.pair_files import PairFiles, write_pairs
from vsr_core.training.duo_vsr.preference import (
    PreferencePairs,
    choose,
    closeness,
    load_ranks,
    sharpness,
    steadiness,
)
from vsr_core.training.duo_vsr.stage3 import dataset, tiny
from vsr_core.training.duo_vsr.start import start


def test_the_best_and_the_worst_have_the_highest_and_lowest_sum_of_places():
    scores = torch.tensor([[1.0, 2.0, 3.0, 4.0], [100.0, 900.0, 200.0, 300.0], [0.1, 0.3, 0.2, 0.4]])
    assert choose(scores) == (3, 0)  # places above others: 0 0 0, 1 3 2, 2 1 1, 3 2 3


def test_units_of_a_metric_do_not_matter():
    scores = torch.tensor([[0.1, 0.2, 0.3], [3.0, 2.0, 2.5], [3.0, 2.0, 1.0]])
    assert choose(scores) == choose(scores * torch.tensor([[1000.0], [1.0], [0.001]])) == (0, 1)


def test_equal_scores_share_their_place():
    assert choose(torch.tensor([[1.0, 1.0, 1.0], [2.0, 3.0, 1.0]])) == (1, 2)
    assert choose(torch.zeros(2, 3)) == (0, 2)


def test_a_pair_is_the_best_and_the_worst_of_what_the_model_makes_of_a_clip():
    config, seen = tiny(), []

    def brightness(candidates: Tensor, target: Tensor) -> Tensor:
        seen.append((candidates, target))
        return candidates.flatten(1).mean(1)

    clips = clip_pairs(config, None)
    pairs = PreferencePairs(clips, start(config.network, None, seed=0).network, [brightness])
    pair = pairs[3]
    [(candidates, target)] = seen
    bright = candidates.flatten(1).mean(1)
    latents = Latents(pairs.network)
    shown = {name: latents.decode(pair[name][None], pair["clip"][None])[0].clamp(0, 1) for name in ("better", "worse")}
    assert candidates.shape == (5, *target.shape) and torch.equal(target, clips[3][1])
    assert torch.equal(pair["clip"], clips[3][0])
    assert torch.allclose(shown["better"], candidates[bright.argmax()], atol=1e-4)
    assert torch.allclose(shown["worse"], candidates[bright.argmin()], atol=1e-4)
    assert torch.allclose(pair["z_lr"], latents.of_input(pair["clip"][None])[0], atol=1e-4)


def test_a_pair_depends_on_its_number_alone():
    first, again = dataset(tiny(), None), dataset(tiny(), None)
    again[0]
    assert all(torch.allclose(value, again[1][name], atol=1e-5) for name, value in first[1].items())
    assert not torch.allclose(first[0]["better"], first[1]["better"])


def test_stand_ins_like_what_is_near_the_target():
    target = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    flat, still = target.mean((-1, -2), keepdim=True).expand_as(target), target[:1].expand_as(target)
    for rank in (closeness, sharpness, steadiness):
        scores = rank(torch.stack([flat, target]), target)
        assert scores[1] == 0 > scores[0]
    assert steadiness(torch.stack([still, target]), target).argmax() == 1


def test_metrics_rank_higher_what_they_call_better():
    make_torchvision_importable()
    pytest.importorskip("torchmetrics")
    target = torch.rand(2, 3, 16, 16)
    candidates = torch.stack([(target + noise * torch.randn_like(target)).clamp(0, 1) for noise in (0.3, 0.0, 0.1)])
    [rank] = load_ranks("unused", ["psnr"])
    assert rank(candidates[[0, 2]], target).diff() > 0


def test_a_metric_that_is_not_known_is_named():
    with pytest.raises(MissingPackageError, match="beauty is not among the metrics"):
        load_ranks("unused", ["lpips", "beauty"])


def test_pairs_come_back_from_disk(tmp_path):
    made = dataset(tiny(), None)
    files = list(write_pairs(made, range(2), tmp_path))
    assert [file.name for file in files] == ["pair_000000.safetensors", "pair_000001.safetensors"]
    kept = PairFiles([tmp_path])
    found = sorted((kept[0], kept[1]), key=lambda pair: (pair["clip"] - made[0]["clip"]).abs().sum().item())
    for pair, expected in zip(found, (made[0], made[1])):
        assert all(torch.allclose(pair[name], value, atol=5e-3) for name, value in expected.items())


def test_pairs_that_are_there_are_not_made_again(tmp_path):
    list(write_pairs(dataset(tiny(), None), range(1), tmp_path))
    before = (tmp_path / "pair_000000.safetensors").stat().st_mtime_ns
    assert len(list(write_pairs([], range(1), tmp_path))) == 1
    assert (tmp_path / "pair_000000.safetensors").stat().st_mtime_ns == before


def numbered(folder, count: int) -> PairFiles:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        pair = {name: torch.full((1,), float(number)) for name in ("clip", "z_lr", "better", "worse")}
        save_file(pair, folder / f"pair_{number:06d}.safetensors")
    return PairFiles([folder], seed=1)


def test_every_time_through_has_all_pairs_in_another_order(tmp_path):
    pairs = numbered(tmp_path, 6)
    rounds = [[int(pairs[6 * time + place]["clip"]) for place in range(6)] for time in range(3)]
    assert all(sorted(one) == list(range(6)) for one in rounds)
    assert len({tuple(one) for one in rounds}) == 3
    assert [int(PairFiles([tmp_path], seed=1)[place]["clip"]) for place in range(6)] == rounds[0]


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(SettingError, match="make-data"):
        PairFiles([tmp_path])


def test_a_file_that_is_no_pair_is_refused_by_name(tmp_path):
    (tmp_path / "pair_000000.safetensors").write_bytes(b"no")
    with pytest.raises(CheckpointError, match="pair_000000"):
        PairFiles([tmp_path])[0]
    save_file({"clip": torch.zeros(1)}, tmp_path / "pair_000000.safetensors")
    with pytest.raises(CheckpointError, match="holds"):
        PairFiles([tmp_path])[0]
