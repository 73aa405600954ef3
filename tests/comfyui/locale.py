"""The English texts of the nodes, as ComfyUI's translators take them. Run as a module to write them anew."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from .server import running_server
from .tree import REPOSITORY, get_comfyui

ENGLISH = REPOSITORY / "locales" / "en" / "nodeDefs.json"
OURS = "custom_nodes."


def node_texts(object_info: dict[str, Any]) -> dict[str, Any]:
    """Return names, descriptions and tooltips of the pack's nodes out of what a server says of all nodes."""
    ours = {name: info for name, info in object_info.items() if info["python_module"].startswith(OURS)}
    return {name: texts_of(info) for name, info in sorted(ours.items())}


def texts_of(info: dict[str, Any]) -> dict[str, Any]:
    inputs = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
    outputs = zip(info["output_name"], info["output_tooltips"], strict=True)
    return {
        "display_name": info["display_name"],
        "description": info["description"],
        "inputs": {
            name: {"name": given[1].get("display_name") or name, "tooltip": given[1]["tooltip"]}
            for name, given in inputs.items()
        },
        "outputs": {str(index): {"name": name, "tooltip": tooltip} for index, (name, tooltip) in enumerate(outputs)},
    }


def as_file(texts: dict[str, Any]) -> str:
    return json.dumps(texts, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running_server(get_comfyui(), Path(folder) / "base") as server:
        ENGLISH.parent.mkdir(parents=True, exist_ok=True)
        ENGLISH.write_text(as_file(node_texts(server.get("/object_info"))), encoding="utf-8")
    print(f"wrote {ENGLISH}", file=sys.stderr)


if __name__ == "__main__":
    main()
