import comfy.model_management as management
import pytest
import torch


@pytest.fixture
def compare(run):
    """Run the node on a small and a large clip and return its three outputs."""
    return lambda before, after, **changed: run("VSRCompare", before=before, after=after, **changed)


def test_the_view_the_plot_and_the_table_come_out(compare, moving):
    images, plot, table = compare(moving(3, 24, 32), moving(3, 96, 128))
    assert (images.shape, images.dtype) == ((3, 96, 128, 3), torch.float32)
    assert plot.shape == (1, 600, 960, 3)
    assert "E*_warp" in table
    assert "| before" in table


def test_the_view_can_be_chosen(compare, moving):
    images, _, _ = compare(moving(3, 24, 32), moving(3, 96, 128), view="side by side", titles=False)
    assert images.shape == (3, 96, 264, 3)
    assert torch.equal(images[:, :, 136:], moving(3, 96, 128))
    [strip] = compare(moving(3, 24, 32), moving(3, 96, 128), view="strip")[0]
    assert strip.shape == (200, 3 * 128 + 2 * 8, 3)


def test_a_reference_changes_what_is_measured(compare, moving):
    after = moving(2, 96, 128)
    _, _, table = compare(moving(2, 24, 32), after, reference=after)
    assert "PSNR" in table
    assert "NIQE" not in table


def test_what_is_not_installed_is_named(compare, moving):
    try:
        import torchmetrics  # noqa: F401
    except ImportError:
        _, _, table = compare(moving(2), moving(2), reference=moving(2))
        assert table.count("missing") >= 4
        assert "pip install torchmetrics" in table
    else:
        pytest.skip("torchmetrics is installed here")


def test_alpha_channels_are_left_out(compare, moving):
    before, after = (torch.cat([each, torch.ones(*each.shape[:3], 1)], -1) for each in (moving(2, 24, 32), moving(2)))
    assert compare(before, after)[0].shape == (2, 40, 48, 3)


def test_different_frame_counts_are_refused(compare, moving, part_of_pack):
    with pytest.raises(part_of_pack("vsr_core.errors").ClipError, match="before has 3, after has 2"):
        compare(moving(3), moving(2))


def test_without_measuring_the_table_says_so(compare, moving):
    images, plot, table = compare(moving(2), moving(2), measure=False)
    assert len(images) == 2
    assert plot.shape == (1, 300, 960, 3)
    assert "measure is off" in table


def test_cancelling_stops_it(compare, moving):
    management.interrupt_current_processing()
    with pytest.raises(management.InterruptProcessingException):
        compare(moving(), moving())
