from math import exp

import pytest
import torch

from vsr_core.errors import ClipError, MissingPackageError
from vsr_core.metrics.dover import DEVIATION, MEAN, aesthetic_view, dover, fragments, fuse, load_dover, technical_view


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def counting(frames: int, height: int, width: int):
    """Return a clip whose frame t has the value t / 255 everywhere."""
    return (torch.arange(frames) / 255).view(-1, 1, 1, 1).expand(-1, 3, height, width)


def frame_numbers(view) -> list[int]:
    """Return which frames of `counting` the view (3, T, H, W) holds."""
    values = view[0, :, 0, 0] * DEVIATION[0] + MEAN[0]
    return values.round().int().tolist()


def test_both_scores_are_weighted_as_in_the_authors_evaluation():
    technical, aesthetic = (0.2 - 0.1107) / 0.07355, (0.05 + 0.08285) / 0.03774

    assert fuse(0.05, 0.2) == pytest.approx(1 / (1 + exp(-(0.6104 * technical + 0.3896 * aesthetic))))
    assert fuse(-0.08285, 0.1107) == pytest.approx(0.5)


def test_the_aesthetic_view_has_one_frame_of_every_part():
    numbers = frame_numbers(aesthetic_view(counting(160, 16, 16), generator()))

    assert len(numbers) == 32
    assert all(5 * part <= number < 5 * part + 5 for part, number in enumerate(numbers))
    assert len({number - 5 * part for part, number in enumerate(numbers)}) > 1


def test_the_technical_view_has_every_other_frame_and_begins_anew_where_a_clip_is_short():
    long = frame_numbers(technical_view(counting(100, 224, 224), generator()))
    short = frame_numbers(technical_view(counting(10, 224, 224), generator()))

    assert long == list(range(long[0], long[0] + 64, 2))
    assert long[0] + 63 < 100
    assert short == [2 * t % 10 for t in range(32)]


def test_fragments_come_unscaled_from_their_own_cell_of_the_grid():
    rows, columns = torch.arange(280.0), torch.arange(350.0)
    places = torch.stack([rows[:, None].expand(280, 350), columns.expand(280, 350)])[None]

    view = fragments(places, generator())

    assert view.shape == (1, 2, 224, 224)
    for i in range(7):
        for j in range(7):
            patch = view[0, :, 32 * i : 32 * i + 32, 32 * j : 32 * j + 32]
            top, left = patch[:, 0, 0].tolist()
            assert 40 * i <= top <= 40 * i + 8
            assert 50 * j <= left <= 50 * j + 18
            assert torch.equal(patch, places[0, :, int(top) : int(top) + 32, int(left) : int(left) + 32])


def test_small_frames_are_enlarged_to_fit_the_grid():
    assert technical_view(torch.rand(4, 3, 30, 50), generator()).shape == (3, 32, 224, 224)


def test_views_are_normalized_and_given_to_the_network_in_its_order():
    seen = []

    def network(aesthetic, technical):
        seen.extend([aesthetic, technical])
        return torch.tensor([0.01, 0.03]), torch.tensor([0.1, 0.2, 0.3, 0.4])

    quality = dover(torch.full((3, 3, 240, 240), 0.5), network, clips=4)

    assert quality == pytest.approx(fuse(0.02, 0.25))
    assert [tuple(view.shape) for view in seen] == [(1, 3, 32, 224, 224), (4, 3, 32, 224, 224)]
    expected = (torch.tensor([127.5]) - torch.tensor(MEAN)) / torch.tensor(DEVIATION)
    for view in seen:
        torch.testing.assert_close(view.mean(dim=(0, 2, 3, 4)), expected, atol=1e-4, rtol=0)


def test_a_clip_always_gets_the_same_value():
    clip = torch.rand(70, 3, 30, 40, generator=generator(1))

    def brightness(aesthetic, technical):
        return aesthetic.mean(), technical[..., ::3].mean()

    assert dover(clip, brightness) == dover(clip, brightness)


def test_what_is_no_clip_is_refused():
    with pytest.raises(ClipError):
        dover(torch.rand(3, 30, 40), lambda *views: views)


def test_without_onnxruntime_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)

    with pytest.raises(MissingPackageError, match="pip install --upgrade onnxruntime"):
        load_dover(tmp_path)


def test_without_the_network_its_origin_is_named(tmp_path):
    pytest.importorskip("onnxruntime")

    with pytest.raises(MissingPackageError, match=r"dover.onnx was not found.*VQAssessment/DOVER.*--weights"):
        load_dover(tmp_path)


def test_an_exported_network_is_run_with_the_views_it_was_exported_for(tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    save_means(onnx, tmp_path / "dover.onnx", technical_views=4)
    clip = torch.rand(4, 3, 30, 40, generator=generator(1))

    def means(aesthetic, technical):
        return aesthetic.mean((1, 2, 3, 4)), technical.mean((1, 2, 3, 4))

    assert load_dover(tmp_path)(clip) == pytest.approx(dover(clip, means, clips=4), rel=1e-3)


def save_means(onnx, path, technical_views: int) -> None:
    """Write a network with DOVER's inputs and outputs that returns the mean of each view."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    names = {"aes_view": 1, "tech_view": technical_views}
    inputs = [helper.make_tensor_value_info(name, kind, [n, 3, 32, 224, 224]) for name, n in names.items()]
    outputs = [helper.make_tensor_value_info(f"{name}_mean", kind, [n]) for name, n in names.items()]
    nodes = [helper.make_node("ReduceMean", [name], [f"{name}_mean"], axes=[1, 2, 3, 4], keepdims=0) for name in names]
    graph = helper.make_graph(nodes, "means", inputs, outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
