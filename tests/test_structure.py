"""The walls and import rules that keep the code readable (CONTRIBUTING.md)."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[1]
CORE = ROOT / "vsr_core"
NODES = ROOT / "nodes"
FILES = sorted([*CORE.rglob("*.py"), *NODES.rglob("*.py"), ROOT / "__init__.py"])
CORE_FILES = [file for file in FILES if CORE in file.parents]

MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 40
LONG_BY_NATURE = {"define_schema", "add_arguments", "__init__"}
"""Lists of what there is: sockets, options, the layers of a network."""
NAMELESS = {"utils", "util", "common", "misc", "helpers", "helper"}
COMFYUI = {
    "comfy",
    "comfy_api",
    "comfy_api_nodes",
    "comfy_execution",
    "comfy_extras",
    "folder_paths",
    "nodes",
    "server",
}
SLOW_TO_IMPORT = ("diffusers", "cv2", "torchvision", "transformers", "comfy")

CACHES = {"functools.cache", "functools.lru_cache"}

TRAINING = ("vsr_core.training",)
MAY_TRAIN = ("vsr_core.training",) + tuple(
    f"vsr_core.cli.{command}" for command in ("train", "prepare_data", "preview_data", "make_data")
)
LAYERS = (
    {"errors", "clip", "packages"},
    {"contract", "runtime", "flow", "checkpoints"},
    {"tiling", "color", "schedulers", "video", "degradations", "metrics"},
    {"architectures"},
    {"load", "models"},
    {"stages", "restore", "trial", "streaming", "compare", "training"},
    {"cli"},
)
"""Parts of the library; each may import its own layer and those before it."""
PARTS_OF_AN_ARCHITECTURE = {
    "README.md", "__init__.py", "autoencoder.py", "config.py", "convert.py", "denoiser.py", "detect.py", "restorer.py",
    "temporal.py",
}  # fmt: skip


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(file: Path) -> Iterator[tuple[str, int]]:
    """Yield the absolute name of everything that `file` imports, anywhere in it, and the level of the import."""
    package = module(file).split(".") if file.name == "__init__.py" else module(file).split(".")[:-1]
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{source}.{alias.name}", node.level) for alias in node.names)


def is_in(imported: str, packages: tuple[str, ...]) -> bool:
    return any(imported == package or imported.startswith(package + ".") for package in packages)


def functions(file: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_file_is_read_in_one_sitting(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_function_is_read_at_a_glance(file):
    long = {
        f"{function.name}: {lines} lines"
        for function in functions(file)
        if (lines := function.end_lineno - function.lineno + 1) > MOST_LINES_OF_A_FUNCTION
        and function.name not in LONG_BY_NATURE
    }
    assert long == set()


def test_a_file_is_named_after_what_is_in_it():
    assert [name(file) for file in FILES if {file.stem, file.parent.name} & NAMELESS] == []


@pytest.mark.parametrize("file", CORE_FILES, ids=name)
def test_the_library_knows_nothing_of_comfyui_and_imports_itself_by_relative_names(file):
    absolute = {imported.split(".")[0] for imported, level in imports(file) if level == 0}
    assert absolute & (COMFYUI | {"vsr_core"}) == set()
    assert all(is_in(imported, ("vsr_core",)) for imported, level in imports(file) if level)


def test_only_the_nodes_import_comfyui():
    benchmarks = (ROOT / "benchmarks").rglob("*.py")
    others = [*CORE_FILES, ROOT / "__init__.py", *benchmarks]
    found = {
        name(file)
        for file in others
        for imported, level in imports(file)
        if not level and is_in(imported, tuple(COMFYUI))
    }
    assert found == set()
    assert any(is_in(imported, ("comfy_api",)) for file in NODES.glob("*.py") for imported, _ in imports(file))


@pytest.mark.parametrize("file", sorted(NODES.rglob("*.py")), ids=name)
def test_nodes_import_our_own_code_by_relative_names(file):
    absolute = {imported.split(".")[0] for imported, level in imports(file) if level == 0}
    assert absolute & {"vsr_core", "nodes"} == set()


@pytest.mark.parametrize("file", [file for file in FILES if not is_in(module(file), MAY_TRAIN)], ids=name)
def test_inference_never_imports_training(file):
    assert [imported for imported, _ in imports(file) if is_in(imported, TRAINING)] == []


def layer(part: str) -> int:
    return next(index for index, parts in enumerate(LAYERS) if part in parts)


def edges() -> Iterator[tuple[str, str]]:
    """Yield pairs of different parts of the library, the first importing the second."""
    for file in CORE_FILES:
        if file.parent == CORE and file.stem in ("__init__", "__main__"):
            continue
        part = module(file).split(".")[1]
        for imported, level in imports(file):
            if level and (other := imported.split(".")[1]) != part:
                yield part, other


def test_every_part_of_the_library_has_a_layer():
    parts = {module(file).split(".")[1] for file in CORE_FILES if file != CORE / "__init__.py"} - {"__main__"}
    assert parts <= set().union(*LAYERS)


def test_imports_point_one_way():
    assert {f"{part} imports {other}" for part, other in edges() if layer(other) > layer(part)} == set()
    graph: dict[str, set[str]] = {}
    for part, other in edges():
        graph.setdefault(part, set()).add(other)
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError, naming the parts


def mentions(file: Path, words: re.Pattern) -> list[str]:
    """Return names and strings of the code, comments and docstrings left out, in which `words` are found."""
    code = tree(file)
    prose = {id(node.value) for node in ast.walk(code) if isinstance(node, ast.Expr)}
    said = [node.value for node in ast.walk(code) if isinstance(node, ast.Constant) and id(node) not in prose]
    named = [node.id for node in ast.walk(code) if isinstance(node, ast.Name)]
    texts = [text for text in said if isinstance(text, str)] + named + [imported for imported, _ in imports(file)]
    return [text for text in texts if words.search(text)]


def architectures() -> list[Path]:
    return sorted(path.parent for path in (CORE / "architectures").glob("*/__init__.py"))


def test_no_architecture_is_named_outside_its_folder():
    words = re.compile("|".join(folder.name for folder in architectures()))
    allowed = ("vsr_core.architectures", "vsr_core.training")
    assert [(name(f), found) for f in FILES if not is_in(module(f), allowed) and (found := mentions(f, words))] == []


@pytest.mark.parametrize("folder", architectures(), ids=name)
def test_every_architecture_has_the_same_files(folder):
    assert {path.name for path in folder.iterdir()} >= PARTS_OF_AN_ARCHITECTURE


@pytest.mark.parametrize("folder", architectures(), ids=name)
def test_no_architecture_imports_another(folder):
    others = tuple(module(other / "__init__.py") for other in architectures() if other != folder)
    found = [imported for file in folder.glob("*.py") for imported, _ in imports(file) if is_in(imported, others)]
    assert found == []


def test_every_architecture_folder_is_listed():
    from vsr_core.architectures import ARCHITECTURES

    assert sorted(ARCHITECTURES) == [folder.name for folder in architectures()]


def test_importing_what_restores_a_video_imports_nothing_slow():
    modules = [module(file) for file in CORE_FILES if not is_in(module(file), MAY_TRAIN) and file.stem != "__main__"]
    code = "import importlib, sys\n" + "".join(f"importlib.import_module({name!r})\n" for name in modules)
    code += f"print([name for name in {SLOW_TO_IMPORT!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_the_entry_point_is_the_new_one_alone():
    assert mentions(ROOT / "__init__.py", re.compile("NODE_CLASS_MAPPINGS")) == []
    assert "comfy_entrypoint" in (ROOT / "__init__.py").read_text(encoding="utf-8")


def test_networks_read_neither_device_nor_dtype():
    words = re.compile(r"\.(cuda|half|bfloat16)\(\)")
    files = [file for file in CORE_FILES if is_in(module(file), ("vsr_core.architectures",))]
    assert [name(file) for file in files if words.search(file.read_text(encoding="utf-8"))] == []


def test_nothing_is_remembered_from_one_run_to_the_next():
    files = [file for file in FILES if not is_in(module(file), MAY_TRAIN)]
    kept = [name(f) for f in files for n in ast.walk(tree(f)) if isinstance(n, ast.Global)]
    cached = [name(f) for f in files if {imported for imported, _ in imports(f)} & CACHES]
    assert kept + cached == []


def dependencies() -> list[str]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


def test_no_version_of_torch_is_ever_forced_on_a_comfyui():
    [torch] = [line for line in dependencies() if re.match(r"torch\b", line)]
    assert re.fullmatch(r"torch>=[\d.]+", torch)
    assert not any(re.match(r"torch(vision|audio)\b", line) for line in dependencies())


def test_both_lists_of_dependencies_say_the_same():
    lines = (
        line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    )
    listed = [line for line in lines if line]
    assert all(re.fullmatch(r"[a-z0-9-]+>=[\d.]+", line) for line in listed)
    assert sorted(listed) == sorted(dependencies())
