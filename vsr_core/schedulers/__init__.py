"""Noise schedules: what a diffusion time step means."""
