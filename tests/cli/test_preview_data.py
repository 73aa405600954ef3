"""`preview-data`: a picture of what each recipe sees."""

import pytest
from PIL import Image

from vsr_core.cli.main import main
from vsr_core.training.recipes import RECIPES, recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipes_data_is_drawn(tmp_path, capsys, name):
    out = tmp_path / "new" / "sheet.png"
    assert main(["preview-data", name, "--config", "tiny", "-o", str(out), "--items", "2"]) == 0
    config = recipe(name).tiny()
    with Image.open(out) as sheet:
        assert sheet.width >= config.frames * config.size
        assert sheet.height >= 2 * 2 * config.size
        assert len(sheet.convert("RGB").resize((64, 64)).getcolors(64 * 64)) > 100
        assert f"wrote 2 items to {out} ({sheet.width}x{sheet.height})" in capsys.readouterr().out


def test_real_media_have_to_be_named(tmp_path, capsys):
    assert main(["preview-data", "adc_vsr/stage1", "--config", "small", "-o", str(tmp_path / "sheet.png")]) == 2
    assert "name their folders by --data" in capsys.readouterr().err


def test_a_picture_that_cannot_be_written_is_1(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["preview-data", "adc_vsr/stage1", "-o", str(tmp_path / "file" / "x.png"), "--items", "1"]) == 1
    assert "Name a .png in a writable folder" in capsys.readouterr().err
