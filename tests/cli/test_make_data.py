"""`make-data`: what a recipe learns from on disk, made once."""

import pytest

from vsr_core.cli.main import main
from vsr_core.load import load_restorer

STAGE3 = "duo_vsr/stage3"


def test_pairs_are_made_once_and_stage_three_learns_from_them(tmp_path, capsys):
    out = tmp_path / "pairs"
    assert main(["make-data", STAGE3, "--out", str(out), "--count", "1", "--device", "cpu"]) == 0
    assert main(["make-data", STAGE3, "--out", str(out), "--first", "1", "--count", "1", "--device", "cpu"]) == 0
    assert f"train {STAGE3} --config tiny" in capsys.readouterr().out
    assert [path.name for path in sorted(out.iterdir())] == ["pair_000000.safetensors", "pair_000001.safetensors"]
    words = ["--steps", "2", "--data", str(out), "--out", str(tmp_path / "run"), "--device", "cpu", "--workers", "0"]
    assert main(["train", STAGE3, *words]) == 0
    assert load_restorer(tmp_path / "run" / "model.safetensors").requirements.scale == 4


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--config", "small"], "--data"),
        (["--first", "-1"], "--first"),
        (["--first", "4"], "--count"),
        (["--config", "small_lpips"], "has no config"),
    ],
)
def test_nothing_to_make_is_2(tmp_path, capsys, words, named):
    assert main(["make-data", STAGE3, "--out", str(tmp_path), *words]) == 2
    assert named in capsys.readouterr().err


def test_pairs_of_a_real_size_need_a_model(tmp_path, capsys):
    assert main(["make-data", STAGE3, "--out", str(tmp_path), "--config", "small", "--data", str(tmp_path)]) != 0
    assert "error: " in capsys.readouterr().err
