import pytest

WIDGETS_AND_SOCKETS = {
    "VSRLoadModel": ["model_name", "dtype"],
    "VSRTemporalTiling": ["window", "overlap", "tile", "tile_overlap", "scene_cuts"],
    "VSROpticalFlowWarp": ["images", "method", "occlusion", "alpha", "scene_cuts", "optical_flow"],
    "VSRMultiFrameFusion": [
        "model", "images", "aligned", "alignment", "mu", "alpha", "posterior", "seed", "tiling",
    ],
    "VSROneStepUpscale": [
        "model", "images", "seed", "strength", "tiling", "latent", "conditioning", "estimate_only",
    ],
    "VSRVideoVAEDecode": ["model", "latent", "color", "tiling", "decoder"],
    "VSRCompare": ["before", "after", "view", "titles", "measure", "reference"],
    "VSRUpscaleVideo": [
        "model", "video", "size", "pixels", "resize", "color", "codec", "crf", "container", "filename_prefix",
        "segment_seconds", "segments", "on_error", "seed", "strength", "estimate_only", "tiling", "conditioning",
    ],
}  # fmt: skip


def test_the_pack_offers_its_nodes_under_their_public_ids(node_classes):
    assert set(node_classes) == set(WIDGETS_AND_SOCKETS)


@pytest.mark.parametrize("node_id", WIDGETS_AND_SOCKETS)
def test_inputs_keep_their_order_because_saved_workflows_count_on_it(node_classes, node_id):
    first = WIDGETS_AND_SOCKETS[node_id]
    assert [given.id for given in node_classes[node_id].define_schema().inputs][: len(first)] == first


@pytest.mark.parametrize("node_id", WIDGETS_AND_SOCKETS)
def test_every_input_and_output_is_explained(node_classes, node_id):
    schema = node_classes[node_id].define_schema()
    assert schema.description
    assert all(len(entry.tooltip or "") > 20 for entry in [*schema.inputs, *schema.outputs])


@pytest.mark.parametrize("node_id", WIDGETS_AND_SOCKETS)
def test_the_help_page_names_every_input(node_classes, pack_folder, node_id):
    page = (pack_folder / "web" / "docs" / f"{node_id}.md").read_text()
    names = [given.id for given in node_classes[node_id].define_schema().inputs]
    assert [name for name in names if name not in page] == []


def test_the_pack_has_no_old_style_mapping_that_would_hide_the_entry_point(part_of_pack):
    assert not hasattr(part_of_pack("nodes"), "NODE_CLASS_MAPPINGS")
