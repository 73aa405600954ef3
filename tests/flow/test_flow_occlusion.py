import torch

from vsr_core.flow import inside, motion_boundary, occluded, visible

STEP = 8


def moving_square() -> tuple[torch.Tensor, torch.Tensor]:
    """Return the true flow to the next frame and back of a square of 20 pixels that moves by STEP to the right."""
    flow, back = torch.zeros(1, 2, 60, 80), torch.zeros(1, 2, 60, 80)
    flow[:, 0, 20:40, 20:40] = STEP
    back[:, 0, 20:40, 20 + STEP : 40 + STEP] = -STEP
    return flow, back


def test_the_background_that_a_square_moves_over_is_hidden():
    flow, back = moving_square()
    covered = torch.zeros(1, 1, 60, 80, dtype=torch.bool)
    covered[..., 20:40, 40 : 40 + STEP] = True

    seen = visible(flow, back)

    assert not seen[covered].any()
    assert torch.equal(~seen, covered | motion_boundary(flow))


def test_the_background_that_a_square_uncovers_is_hidden_in_the_frame_before():
    flow, back = moving_square()

    seen = visible(back, flow)

    assert not seen[..., 20:40, 20 : 20 + STEP].any()
    assert seen[..., 22:38, 42 : 38 + STEP].all()


def test_flows_that_do_not_return_are_occluded():
    flow = torch.zeros(2, 2, 4, 4)
    flow[:, 0] = 3.0
    returned = -flow
    returned[1, 0, 0, 0] = 2.0

    hidden = occluded(flow, returned)

    assert hidden.shape == (2, 1, 4, 4)
    assert hidden[1, 0, 0, 0]
    assert hidden.sum() == 1


def test_a_jump_of_the_flow_is_a_motion_boundary():
    flow = torch.zeros(2, 2, 4, 6)
    flow[0, 0, :, 3:] = 5.0
    flow[1, 1, 2:] = 5.0

    boundary = motion_boundary(flow)

    assert boundary[0, 0, :, 2].all()
    assert boundary[1, 0, 1].all()
    assert boundary.sum() == 4 + 6


def test_pixels_that_leave_the_frame_are_hidden():
    flow = torch.zeros(1, 2, 8, 12)
    flow[:, 0], flow[:, 1] = 3, -1

    seen = visible(flow, -flow)

    assert seen[..., 1:, :9].all()
    assert seen.sum() == 7 * 9


def test_pixels_that_leave_the_frame_are_outside():
    flow = torch.zeros(1, 2, 4, 6)
    flow[:, 0], flow[:, 1] = 2, -1

    found = inside(flow)

    assert found[..., 1:, :4].all()
    assert found.sum() == 3 * 4


def test_a_pixel_that_ends_on_the_edge_is_inside():
    flow = torch.zeros(1, 2, 4, 6)
    flow[0, 0, 0, 0], flow[0, 1, 0, 1] = 5, 3

    assert inside(flow).all()
