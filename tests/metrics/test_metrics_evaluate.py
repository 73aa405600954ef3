import json

import numpy as np
import pytest
from PIL import Image
from torch import Tensor

from vsr_core.cli.main import main

pytest.importorskip("torchmetrics")
BRIGHTER_BY_10 = 28.13  # dB: 20 log10(255 / 10)


@pytest.fixture(autouse=True)
def nothing_cached(tmp_path, monkeypatch):
    """Let neither this machine's metric weights nor its torch hub cache be found."""
    monkeypatch.setenv("VSR_METRIC_WEIGHTS", str(tmp_path / "no-weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-hub"))


def evaluate(*arguments) -> int:
    return main(["evaluate", *map(str, arguments)])


def cells(text: str) -> dict[str, list[str]]:
    """Return the cells of the first table by the name of their row."""
    lines = [line for line in text.split("\n\n")[1].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in rows}


def test_one_command_compares_bicubic_with_the_result_and_the_ground_truth(clips, capsys):
    code = evaluate(clips["sr"], "--hr", clips["hr"], "--lr", clips["lr"], "--metrics", "psnr,ssim,ewarp")

    table = cells(capsys.readouterr().out)
    assert code == 0
    assert table[""] == ["PSNR [dB]", "SSIM", "E*_warp [1e-3]"]
    assert float(table["SR"][0]) == pytest.approx(BRIGHTER_BY_10, abs=0.1)
    assert float(table["bicubic x4"][0]) < float(table["SR"][0])
    assert table["HR"][:2] == ["-", "-"]
    assert 0 <= float(table["HR"][2]) < 0.05


def test_metrics_without_their_files_are_dashes_and_say_what_to_do(clips, capsys):
    code = evaluate(clips["sr"], "--hr", clips["hr"])

    out = capsys.readouterr().out
    assert code == 0
    assert cells(out)["SR"][2:4] == ["-", "-"]
    assert "LPIPS is missing: " in out
    assert "NIQE is missing: niqe.safetensors was not found" in out
    assert "metric_weights.py" in out


def test_a_metric_that_is_asked_for_and_missing_is_an_error(clips, capsys):
    code = evaluate(clips["sr"], "--metrics", "niqe")

    captured = capsys.readouterr()
    assert code == 1
    assert captured.out == ""
    assert "niqe.safetensors was not found" in captured.err


def test_several_clips_give_their_mean_and_a_table_of_each(write_clip, tmp_path, panning_clip: Tensor, capsys):
    for name, offset in (("a", 10 / 255), ("b", 0.0)):
        write_clip(f"hr/{name}", panning_clip)
        write_clip(f"sr/{name}", (panning_clip + offset).clamp(0, 1))

    code = evaluate(tmp_path / "sr", "--hr", tmp_path / "hr", "--metrics", "psnr", "--json", tmp_path / "out.json")

    out, report = capsys.readouterr().out, json.loads((tmp_path / "out.json").read_text())
    assert code == 0
    assert out.startswith("2 clips, 8 frames")
    assert cells(out)["SR"] == ["inf"]
    assert "| a    | 4      | SR  | 28.1" in out
    assert [clip["name"] for clip in report["clips"]] == ["a", "b"]
    assert report["clips"][0]["rows"]["SR"]["psnr"] == pytest.approx(BRIGHTER_BY_10, abs=0.1)
    assert report["clips"][1]["rows"]["SR"]["psnr"] == "inf"
    assert report["clips"][0]["values"]["psnr"]["SR"] == pytest.approx([BRIGHTER_BY_10] * 4, abs=0.1)
    assert report["clips"][0]["values"]["psnr"]["HR"] == ["nan"] * 4


def test_the_markdown_file_holds_what_the_terminal_shows(tmp_path, clips, capsys):
    report = tmp_path / "table.md"
    report.write_text("an earlier table")

    evaluate(clips["sr"], "--hr", clips["hr"], "--metrics", "psnr", "--markdown", report)

    assert report.read_text(encoding="utf-8") == capsys.readouterr().out


def test_plots_show_the_metrics_over_the_frames_and_the_middle_row_over_time(clips, tmp_path, panning_clip: Tensor):
    arguments = (clips["sr"], "--hr", clips["hr"], "--lr", clips["lr"], "--metrics", "psnr,ewarp")

    assert evaluate(*arguments, "--plots", tmp_path / "plots") == 0

    curves, profile = (Image.open(tmp_path / "plots" / f"sr-{name}.png") for name in ("metrics", "profile"))
    assert curves.size == (960, 2 * 300)
    assert profile.size == (160, 3 * 96 + 2 * 8)
    hr = np.asarray(profile)[-96:, 60:]  # right of its title
    expected = (panning_clip[:, :, 64, 60:] * 255).round().permute(0, 2, 1).numpy()
    np.testing.assert_array_equal(hr[::24], expected)
    np.testing.assert_array_equal(hr[23::24], expected)


def test_a_folder_for_plots_that_cannot_be_made_fails_before_measuring(tmp_path, clips, capsys):
    (tmp_path / "file").touch()

    code = evaluate(clips["sr"], "--hr", clips["hr"], "--metrics", "psnr", "--plots", tmp_path / "file")

    captured = capsys.readouterr()
    assert code == 1
    assert captured.out == ""
    assert "another one for --plots" in captured.err


def test_a_failed_run_leaves_no_report(write_clip, tmp_path, clips, panning_clip: Tensor, capsys):
    short = write_clip("short", panning_clip[:2])
    reports = tmp_path / "reports"
    reports.mkdir()

    code = evaluate(clips["sr"], "--hr", short, "--metrics", "psnr", "--json", reports / "out.json")

    assert code == 1
    assert "SR has 4, HR has 2" in capsys.readouterr().err
    assert list(reports.iterdir()) == []


def test_a_report_that_cannot_be_written_fails_before_measuring(tmp_path, clips, capsys):
    code = evaluate(clips["sr"], "--hr", clips["hr"], "--metrics", "psnr", "--json", tmp_path)

    captured = capsys.readouterr()
    assert code == 1
    assert captured.out == ""
    assert "is a folder" in captured.err


def test_an_unknown_metric_is_bad_usage(clips, capsys):
    assert evaluate(clips["sr"], "--metrics", "psnr,vmaf") == 2
    assert (
        "expected some of psnr, ssim, lpips, dists, niqe, musiq, clipiqa, maniqa, dover, ewarp"
        in capsys.readouterr().err
    )


def test_without_ground_truth_the_warping_error_follows_the_result(clips, capsys):
    code = evaluate(clips["sr"], "--lr", clips["lr"], "--metrics", "psnr,ewarp")

    out = capsys.readouterr().out
    assert code == 0
    assert [*cells(out)][2:] == ["bicubic x4", "SR"]
    assert cells(out)["SR"][0] == "-"
    assert "each row's own frames" in out
