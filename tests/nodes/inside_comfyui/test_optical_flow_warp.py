import comfy.model_management as management
import folder_paths
import pytest
import torch


@pytest.fixture
def align(run):
    """Run the node on images and return its four outputs."""
    return lambda images, **changed: run("VSROpticalFlowWarp", images=images, **changed)


@pytest.fixture
def raft_file(tmp_path, monkeypatch):
    """The only file in models/optical_flow: torchvision's raft_large with random weights."""
    from torchvision.models.optical_flow import raft_large

    torch.manual_seed(0)
    path = tmp_path / "raft.pth"
    torch.save(raft_large(weights=None, progress=False).state_dict(), path)
    use_flow_folder(tmp_path, monkeypatch)
    return path


def use_flow_folder(folder, monkeypatch) -> None:
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "optical_flow", ([str(folder)], {".pth", ".safetensors"}))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})


def inner(images: torch.Tensor) -> torch.Tensor:
    """Return what is far enough from the edges to be seen in the neighbouring frames too."""
    return images[:, 6:-6, 6:-6]


def test_both_neighbours_come_onto_the_frame(align, moving):
    images = moving(20)
    _, previous, following, confidence = align(images)
    assert previous.shape == following.shape == images.shape
    assert (confidence.shape, confidence.dtype) == (images.shape[:3], torch.float32)
    for frame, neighbour, warped in (
        (images[1:], images[:-1], previous[1:]),
        (images[:-1], images[1:], following[:-1]),
    ):
        still, moved = ((inner(frame) - inner(other)).abs().mean() for other in (neighbour, warped))
        assert moved < 0.3 * still
    assert inner(confidence).mean() > 0.8


def test_a_frame_stands_in_for_the_neighbours_it_lacks(align, moving):
    images = moving()
    _, previous, following, _ = align(images)
    assert torch.equal(previous[0], images[0])
    assert torch.equal(following[-1], images[-1])


def test_nothing_is_aligned_across_a_cut_unless_asked(align, moving):
    images = torch.cat([moving(4), 1 - moving(4, seed=3) ** 3])
    _, previous, following, _ = align(images)
    assert torch.equal(previous[4], images[4])
    assert torch.equal(following[3], images[3])
    _, previous, following, _ = align(images, scene_cuts=False)
    assert not torch.equal(previous[4], images[4])
    assert not torch.equal(following[3], images[3])


@pytest.mark.parametrize("size", [(40, 48), (3, 5)])
def test_one_frame_is_its_own_neighbour(align, moving, size):
    images = moving(1, *size)
    aligned, previous, following, confidence = align(images)
    assert torch.equal(previous, images)
    assert torch.equal(following, images)
    assert torch.equal(confidence, torch.ones(1, *size))
    assert len(aligned) == 1


def test_alpha_changes_the_mask_alone(align, moving):
    images = moving()
    aligned, previous, _, confidence = align(images, alpha=2.0)
    other, same, _, lower = align(images, alpha=4.0)
    assert torch.equal(previous, same)
    assert torch.equal(aligned.error, other.error)
    assert torch.allclose(lower, confidence**2, atol=1e-6)


def test_occlusion_takes_confidence_away_where_things_are_hidden(align, moving):
    images = moving()
    images[:, 10:30, 20:30] = 0.9  # stands still in front of what moves
    _, _, _, confidence = align(images)
    _, _, _, strict = align(images, occlusion=True)
    assert (strict <= confidence).all()
    assert (strict == 0).sum() > (confidence == 0).sum()


def test_alpha_channels_are_left_out_of_the_warped_frames(align, moving):
    images = moving(2)
    _, previous, _, _ = align(torch.cat([images, torch.ones(*images.shape[:3], 1)], -1))
    assert torch.equal(previous, align(images)[1])


def test_frames_too_small_for_the_method_are_refused_with_their_size(align, moving, part_of_pack):
    with pytest.raises(part_of_pack("vsr_core.errors").ClipError, match="20x18"):
        align(moving(3, 18, 20), method="dis-fast")
    assert len(align(moving(3, 18, 20), method="dis-medium")[0]) == 3


def test_raft_without_weights_says_where_they_go(align, moving, part_of_pack, tmp_path, monkeypatch):
    error = part_of_pack("vsr_core.errors").MissingPackageError
    use_flow_folder(tmp_path, monkeypatch)
    with pytest.raises(error, match="models/optical_flow holds no file"):
        align(moving(), method="raft")
    for name in ("one.pth", "two.pth"):
        (tmp_path / name).touch()
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    with pytest.raises(error, match="one.pth, two.pth"):
        align(moving(), method="raft")


def test_weights_of_something_else_are_refused_by_name(align, moving, raft_file, part_of_pack):
    torch.save({"weight": torch.zeros(1)}, raft_file)
    with pytest.raises(part_of_pack("vsr_core.errors").CheckpointError, match="raft.pth"):
        align(moving(), method="raft")


def test_raft_is_comfyuis_own_model_or_the_only_file_in_its_folder(align, moving, raft_file):
    core = pytest.importorskip("comfy_extras.nodes_void", reason="ComfyUI has optical flow models since 0.21")
    connected, images = core.OpticalFlowLoader.execute("raft.pth").result[0], moving(2)
    by_socket, _, _, _ = align(images, optical_flow=connected)  # whatever the method says
    by_file, _, _, _ = align(images, method="raft")
    assert connected in management.loaded_models()
    assert torch.allclose(by_socket.next_flow, by_file.next_flow, atol=1e-4)
    assert not torch.allclose(by_socket.next_flow, align(images)[0].next_flow, atol=0.1)


def test_cancelling_stops_it(align, moving):
    management.interrupt_current_processing()
    with pytest.raises(management.InterruptProcessingException):
        align(moving())
