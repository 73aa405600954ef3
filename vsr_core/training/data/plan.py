"""A written plan of which clips to cut out of which files, so that a training set can be made again."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ...errors import SettingError
from .prepare import PrepareSettings, Source


def read_plan(plan: str | Path, folders: Iterable[str | Path]) -> tuple[list[Source], PrepareSettings]:
    """Return the sources and settings of a JSON plan; its files are searched for anywhere below `folders`.

    A file is given by its name, or by the end of its path where several files have that name. Raises SettingError
    for a plan that cannot be read, and for files that are missing or that more than one file fits.
    """
    try:
        content = json.loads(Path(plan).read_text())
        settings = PrepareSettings(**content["settings"])
        entries = [dict(entry) for entry in content["sources"]]
        ends = [entry.pop("path") for entry in entries]
        paths = _find(ends, folders)
        return [Source(path=path, **entry) for path, entry in zip(paths, entries)], settings
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingError(f"{plan} is no plan with settings and sources ({error!r}).") from error


def _find(ends: list[str], folders: Iterable[str | Path]) -> list[Path]:
    by_name: dict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            by_name[path.name].append(path)
    fitting = {end: [path for path in by_name[PurePosixPath(end).name] if path.match(end)] for end in ends}
    for problem, wrong in (
        ("are not there", [end for end, paths in fitting.items() if not paths]),
        ("are there more than once", [end for end, paths in fitting.items() if len(paths) > 1]),
    ):
        if wrong:
            more = ", ..." if len(wrong) > 5 else ""
            raise SettingError(f"{len(wrong)} files of the plan {problem}: {', '.join(wrong[:5])}{more}.")
    return [fitting[end][0] for end in ends]
