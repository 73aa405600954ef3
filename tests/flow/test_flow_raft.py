import sys
from pathlib import Path

import pytest
import torch
from flow.motions import panning
from flow.translation import Translation
from safetensors.torch import save_file

from vsr_core.errors import CheckpointError, MissingPackageError
from vsr_core.flow import RaftFlow, align, estimator, load_raft
from vsr_core.flow.raft import PARTS

try:
    from torchvision.models.optical_flow import raft_large, raft_small
except (ImportError, RuntimeError):  # RuntimeError: a torchvision made for another torch
    raft_large = raft_small = None

needs_torchvision = pytest.mark.skipif(raft_large is None, reason="needs torchvision")


@pytest.mark.parametrize("size", [(72, 96), (130, 70), (129, 200)])
def test_the_last_flow_is_returned_at_the_size_of_the_frames(size: tuple[int, int]):
    clip = panning(3, *size, x=4, y=-3)
    flow = RaftFlow(Translation())(clip[:-1], clip[1:])

    assert flow.shape == (2, 2, *size)
    assert flow.dtype == torch.float32
    assert (flow[:, 0] == 4).all()
    assert (flow[:, 1] == -3).all()


def test_frames_are_padded_with_their_edges_and_scaled_to_minus_one_to_one():
    network, frames = Translation(), torch.rand(1, 3, 130, 70)

    RaftFlow(network)(frames, 1 - frames)

    images, others = network.seen
    assert images.shape == others.shape == (1, 3, 136, 128)
    torch.testing.assert_close(images[..., :130, :70], 2 * frames - 1)
    torch.testing.assert_close(others[..., :130, :70], 1 - 2 * frames)
    assert torch.equal(images[..., :130, 70:], images[..., :130, 69:70].expand(-1, -1, -1, 58))
    assert torch.equal(images[..., 130:, :], images[..., 129:130, :].expand(-1, -1, 6, -1))


def test_frames_of_a_size_that_fits_are_not_padded():
    network, frames = Translation(), torch.rand(1, 3, 128, 136)

    RaftFlow(network)(frames, frames)

    assert network.seen[0].shape == frames.shape


def test_the_network_computes_in_its_own_dtype():
    network, frames = Translation().bfloat16(), torch.rand(1, 3, 128, 128)

    flow = RaftFlow(network)(frames, frames)

    assert network.seen[0].dtype == torch.bfloat16
    assert flow.dtype == torch.float32


def test_large_frames_are_compared_a_pair_at_a_time():
    network, frames = Translation(), torch.rand(3, 3, 512, 1024)

    flow = RaftFlow(network)(frames, frames.roll((3, -4), (2, 3)))

    assert [len(images) for images in network.seen] == [1] * 6
    assert (flow[:, 0] == -4).all()
    assert (flow[:, 1] == 3).all()


def test_it_aligns_a_clip():
    aligned = align(panning(4, x=4, y=-3), RaftFlow(Translation()))

    assert (aligned.next_flow[:3, 0] == 4).all()
    assert (aligned.previous_flow[1:, 0] == -4).all()
    assert aligned.error[..., 4:-4, 5:-5].max() < 1e-3


@needs_torchvision
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_weights_file_gives_torchvisions_network(tmp_path: Path, suffix: str):
    network, frames = raft_large(weights=None).eval(), torch.rand(2, 3, 128, 136)
    path = tmp_path / f"raft{suffix}"
    save = torch.save if suffix == ".pth" else save_file
    save(network.state_dict(), path)

    flow = estimator("raft", path)(frames[:1], frames[1:])

    with torch.no_grad():
        expected = network(2 * frames[:1] - 1, 2 * frames[1:] - 1)[-1]
    torch.testing.assert_close(flow, expected)


@needs_torchvision
def test_loading_leaves_the_random_numbers_alone(tmp_path: Path):
    torch.save(raft_large(weights=None).state_dict(), tmp_path / "raft.pth")
    state = torch.random.get_rng_state()

    network = load_raft(tmp_path / "raft.pth").model

    assert torch.equal(torch.random.get_rng_state(), state)
    assert not network.training
    assert {(value.dtype, value.device.type, value.requires_grad) for value in network.parameters()} == {
        (torch.float32, "cpu", False)
    }


@needs_torchvision
def test_weights_of_the_small_network_are_refused(tmp_path: Path):
    torch.save(raft_small(weights=None).state_dict(), tmp_path / "small.pth")

    with pytest.raises(CheckpointError, match=r"small.pth, read as raft_large, does not fit .* missing"):
        load_raft(tmp_path / "small.pth")


def test_weights_of_another_layout_are_refused(tmp_path: Path):
    torch.save(
        {"module.fnet.conv1.weight": torch.zeros(1), "module.cnet.conv1.weight": torch.zeros(1)}, tmp_path / "a.pth"
    )

    with pytest.raises(CheckpointError, match=r"a.pth holds module; expected .* raft_large with feature_encoder\."):
        load_raft(tmp_path / "a.pth")


@pytest.mark.parametrize("name", ["no.pth", "no.safetensors"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str):
    with pytest.raises(CheckpointError, match="No .*file at"):
        load_raft(tmp_path / name)


def test_without_torchvision_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_file({f"{part}weight": torch.zeros(1) for part in PARTS}, tmp_path / "raft.safetensors")
    for name in ("torchvision", "torchvision.models.optical_flow"):
        monkeypatch.setitem(sys.modules, name, None)  # what Python itself keeps for a module that is not there

    with pytest.raises(MissingPackageError, match="Install the torchvision made for this torch"):
        load_raft(tmp_path / "raft.safetensors")
