from comfyui.fixtures import comfy_cli, comfyui  # noqa: F401
