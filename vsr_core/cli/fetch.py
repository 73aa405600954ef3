"""`fetch [NAME]`: download published weights, which `convert` turns into a model file."""

import argparse
import shlex
from pathlib import Path

from tqdm import tqdm

from ..architectures import published
from ..checkpoints.download import address, download
from ..checkpoints.published import Published, PublishedFile, digest_of
from ..models import model_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    names = ", ".join(published())
    parser.add_argument("name", nargs="?", choices=published(), metavar="NAME", help=f"{names}; none: list them all")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("sources"), metavar="DIR", help="write to DIR/NAME/ (default: sources)"
    )
    parser.add_argument("--show", action="store_true", help="only say what would be downloaded, and from where")


def run(arguments: argparse.Namespace) -> int:
    """Download the files of one name and say what to do with them. Raises DownloadError."""
    if arguments.name is None or arguments.show:
        for name in [arguments.name] if arguments.name else published():
            print(_description(name, published()[name]))
        return 0
    source = published()[arguments.name]
    print(f"{source.title}\nlicence: {source.licence} ({source.homepage})")
    for file in source.files:
        print(_fetched(file, arguments.out / arguments.name))
    print(f"now run: python -m vsr_core convert {_convert(source, arguments.out)}")
    return 0


def _fetched(file: PublishedFile, folder: Path) -> str:
    """Download one file with a progress bar; return where it is and how sure that is."""
    with tqdm(desc=file.name, total=file.size, unit="B", unit_scale=True, dynamic_ncols=True) as bar:

        def show(there: int, total: int | None) -> None:
            bar.total = total
            bar.update(there - bar.n)

        path = download(file, folder, show)
    if file.digest:
        return f"{path}: complete, {file.digest.partition(':')[0]} hash as expected"
    return f"{path}: no hash of it is known here, so it was not checked; its own is {digest_of(path)}"


def _description(name: str, source: Published) -> str:
    lines = [f"{name}: {source.title}", f"  licence: {source.licence}", f"  see:     {source.homepage}"]
    for file in source.files:
        size = "size not known" if file.size is None else f"{file.size:,} bytes"
        lines.append(f"  {file.name} ({size}, {file.digest or 'hash not known'})\n    {address(file)}")
    return "\n".join(lines)


def _convert(source: Published, folder: Path) -> str:
    models = next(iter(model_folders()), Path())
    return source.convert.format(sources=shlex.quote(str(folder)), models=shlex.quote(str(models)))
