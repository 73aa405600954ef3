"""`models`, `inspect` and `convert`: what there is, what it is, and making one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from architectures.adc_vsr.published import write_published
from restorers import tiny_network
from safetensors.torch import save_file

from vsr_core.architectures.adc_vsr import TINY
from vsr_core.checkpoints.metadata import Metadata, config_to_json
from vsr_core.checkpoints.write import write_model
from vsr_core.cli.main import main
from vsr_core.models import FOLDERS_VARIABLE, built_in

DATA = Path(__file__).parents[1] / "data"


def test_a_model_file_is_described(tmp_path, capsys):
    network = tiny_network()
    metadata = Metadata(architecture="adc_vsr", config=config_to_json(TINY), source="random numbers", licence="CC0")
    model = write_model(tmp_path / "tiny.safetensors", network.state_dict(), metadata, dtype=torch.float16)
    assert main(["inspect", str(model)]) == 0
    text = capsys.readouterr().out
    million = {name: sum(v.numel() for v in part.parameters()) / 1e6 for name, part in network.named_children()}
    sizes = [f"{name} {count:.1f} M" for name, count in million.items()]
    for words in ("adc_vsr", "F16", "random numbers", "CC0", "(8, 16)", *sizes):
        assert words in text


def test_built_in_models_are_described_by_name(capsys):
    for name in built_in():
        assert main(["inspect", name]) == 0
        assert "licence" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.safetensors", "No model"),
        ("weights.pkl", "not a .safetensors file"),
        ("cut.safetensors", "not a whole"),
    ],
)
def test_a_file_that_is_none_of_ours_says_why(model, tmp_path, capsys, name, message):
    if name != "missing.safetensors":
        (tmp_path / name).write_bytes(model.read_bytes()[:1000])
    assert main(["inspect", str(tmp_path / name)]) == 1
    assert message in capsys.readouterr().err


def test_published_weights_say_how_to_convert_them(tmp_path, capsys):
    names = json.loads((DATA / "adcsr_net_keys.json").read_text())
    save_file({name: torch.zeros(1) for name in names}, tmp_path / "adcsr.safetensors")
    assert main(["inspect", str(tmp_path / "adcsr.safetensors")]) == 1
    assert "AdcSR network weights; convert them: `python -m vsr_core convert adc_vsr" in capsys.readouterr().err


def test_models_are_listed_with_what_is_wrong_with_them(model, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(FOLDERS_VARIABLE, str(tmp_path))
    (tmp_path / "good.safetensors").write_bytes(model.read_bytes())
    (tmp_path / "bad.safetensors").write_bytes(b"")
    assert main(["models"]) == 0
    lines = {words[0]: " ".join(words[1:]) for words in map(str.split, capsys.readouterr().out.splitlines())}
    assert lines["good.safetensors"].startswith("adc_vsr, ")
    assert lines["bad.safetensors"].startswith("not usable: bad.safetensors (0 bytes)")
    assert set(built_in()) <= set(lines)


@pytest.fixture
def published(tmp_path) -> dict[str, Path]:
    return write_published(tmp_path, tiny_network(replace(TINY, temporal=False)))


def test_weights_of_another_size_are_not_converted(published, tmp_path, capsys):
    words = ["convert", "adc_vsr", "--adcsr", published["adcsr"], "--decoder", published["decoder"]]
    assert main([*map(str, words), "-o", str(tmp_path / "out.safetensors"), "--dtype", "fp16"]) == 1
    assert "The AdcSR weights does not fit" in capsys.readouterr().err.replace("do not", "does not")
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("left_out", ["--adcsr", "--decoder", "-o"])
def test_converting_needs_all_its_files(published, tmp_path, left_out):
    named = {"--adcsr": published["adcsr"], "--decoder": published["decoder"], "-o": tmp_path / "out.safetensors"}
    words = [str(word) for option, path in named.items() if option != left_out for word in (option, path)]
    assert main(["convert", "adc_vsr", *words]) == 2


def test_an_architecture_that_is_not_known_cannot_be_converted():
    assert main(["convert", "future_vsr"]) == 2
