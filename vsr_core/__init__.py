"""One-step diffusion video super-resolution: AdcVSR, OS-DiffVSR, DUO-VSR."""

__version__ = "0.1.0"
