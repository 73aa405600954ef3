import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from comfyui.fixtures import comfyui  # noqa: E402, F401

collect_ignore = ["inside_comfyui"]  # run with ComfyUI's own Python by test_inside_comfyui.py
