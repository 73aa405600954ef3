"""Restore a video with the tiny model in a process of its own: SOURCE TARGET. Goes on where it was stopped."""

import sys
from pathlib import Path

import torch
from restorers import tiny_restorer
from streaming.jobs import job

from vsr_core.runtime import StandaloneRuntime
from vsr_core.streaming import upscale_video

if __name__ == "__main__":
    torch.set_num_threads(1)
    source, target = map(Path, sys.argv[1:])
    upscale_video(job(source, target), tiny_restorer(), StandaloneRuntime("cpu", "fp32"), resume=True)
