"""How far apart two results may be that are equal but for rounding; values of pictures in 0..1."""

import torch

TOLERANCE = {torch.float32: 1e-5, torch.float16: 0.005, torch.bfloat16: 0.03}
"""Largest absolute difference by computing dtype, for networks of a dozen layers."""
