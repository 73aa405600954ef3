"""Other upscalers, run beside ours by quality.py: one file each. Nothing of theirs is in this repository.

A peer names the packages on PyPI that its user installs, and loads a function that enlarges a clip by four.
"""

from . import animesr, basicvsr, realesrgan

PEERS = (basicvsr.PEER, realesrgan.X4PLUS, realesrgan.ANIME_VIDEO, animesr.PEER)
