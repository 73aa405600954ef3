"""A package that is missing or broken is named, with the command that installs it into the right Python."""

import sys

import pytest

from vsr_core.errors import MissingPackageError
from vsr_core.packages import from_package


def test_a_package_or_a_part_of_it_is_returned():
    assert from_package("json", None, "Reading").loads("1") == 1
    assert from_package("fractions", "Fraction", "Counting")(1, 2) == 0.5


@pytest.mark.parametrize(
    ("package", "name", "installed", "reason"),
    [
        ("cv2", None, "opencv-python", "halted"),
        ("diffusers", "UNet2DConditionModel", "diffusers", "halted"),
        ("json", "NewerThing", "json", "NewerThing"),
    ],
)
def test_what_is_missing_is_named_with_how_to_install_it(monkeypatch, package, name, installed, reason):
    if package != "json":
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError) as missing:
        from_package(package, name, "This node")
    text = str(missing.value)
    assert text.startswith(f"This node needs the package {installed}, which cannot be imported (")
    assert reason in text
    assert text.endswith(f'"{sys.executable}" -m pip install --upgrade {installed}')


def test_a_package_that_fails_while_it_is_imported_counts_as_missing(monkeypatch, tmp_path):
    (tmp_path / "broken_package.py").write_text("raise RuntimeError('made for another torch')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingPackageError, match="made for another torch"):
        from_package("broken_package", None, "This node")
