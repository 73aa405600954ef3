"""`fetch`: what it offers, what it writes, and what to do next."""

import pytest
from checkpoints.file_server import Site, serving

from vsr_core.architectures import published
from vsr_core.cli.main import main

PATHS = {
    "/Guaishou74851/AdcSR/resolve/main/weight/net_params_200.pkl": b"net",
    "/Guaishou74851/AdcSR/resolve/main/weight/pretrained/halfDecoder.ckpt": b"decoder",
    "/Comfy-Org/Wan_2.1_ComfyUI_repackaged/resolve/main/split_files/diffusion_models/wan2.1_t2v_1.3B_fp16.safetensors"
    : b"another file",
}  # fmt: skip


@pytest.fixture
def mirror(monkeypatch):
    """A mirror of Hugging Face on this machine."""
    with serving(Site(PATHS)) as site:
        monkeypatch.setenv("HF_ENDPOINT", f"{site.url}/")
        yield site


def test_without_a_name_everything_is_listed_and_nothing_fetched(mirror, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["fetch"]) == 0
    text = capsys.readouterr().out
    for name, source in published().items():
        assert f"{name}: {source.title}\n  licence: {source.licence}\n" in text
        assert all((file.digest or "hash not known") in text for file in source.files)
    assert "2,838,303,560 bytes" in text
    assert mirror.asked == []
    assert list(tmp_path.iterdir()) == []


def test_what_would_be_fetched_can_be_seen_first(mirror, tmp_path, capsys):
    assert main(["fetch", "adcsr", "--show", "-o", str(tmp_path)]) == 0
    assert f"{mirror.url}/Guaishou74851/AdcSR" in capsys.readouterr().out
    assert mirror.asked == []


def test_files_are_fetched_into_a_folder_of_their_name_and_the_next_command_is_said(mirror, tmp_path, capsys):
    folder = tmp_path / "my sources"
    assert main(["fetch", "adcsr", "-o", str(folder)]) == 0
    assert (folder / "adcsr" / "net_params_200.pkl").read_bytes() == b"net"
    assert (folder / "adcsr" / "halfDecoder.ckpt").read_bytes() == b"decoder"
    text = capsys.readouterr().out
    assert "licence: " in text
    assert "no hash of it is known here, so it was not checked" in text
    assert f"convert adc_vsr --adcsr '{folder}'/adcsr/net_params_200.pkl" in text


def test_a_file_that_is_not_the_published_one_fails_the_run(mirror, tmp_path, capsys):
    assert main(["fetch", "wan21", "-o", str(tmp_path)]) == 1
    assert "it has 12 bytes, not 2,838,303,560" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "wan21").iterdir()] == []


def test_a_name_that_is_not_known_is_bad_usage(capsys):
    assert main(["fetch", "dreams"]) == 2
    assert "adcsr" in capsys.readouterr().err
