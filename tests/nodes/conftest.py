from comfyui.fixtures import comfyui  # noqa: F401

collect_ignore = ["inside_comfyui"]  # run with ComfyUI's own Python by test_inside_comfyui.py
