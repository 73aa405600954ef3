"""One-step diffusion video super-resolution for ComfyUI."""

from importlib.util import find_spec

if __package__ and find_spec("comfy_api"):  # pytest imports this file too, without a ComfyUI
    from .nodes import comfy_entrypoint

    __all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]

WEB_DIRECTORY = "./web"
