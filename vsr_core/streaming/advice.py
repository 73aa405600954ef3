"""How unfinished work is gone on with or given up: by an option of the command line, and what to do in ComfyUI."""

GO_ON = "--resume (in ComfyUI: Run)"
BEGIN_ANEW = "--restart (in ComfyUI: delete the folder)"
