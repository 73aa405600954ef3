"""Straightforward implementations of the architectures at paper size, as baselines.

Each offers `build` (the baseline), `build_ours` (the same random network behind the contract), `run` and VARIANTS.
"""
