"""A real ComfyUI for tests: get it, start it without a screen, talk to it."""
