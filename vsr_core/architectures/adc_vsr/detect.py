"""Recognise published files of this family by their tensor names."""

from collections.abc import Collection


def detect(names: Collection[str]) -> str | None:
    """Say what published file has these tensor names, and how to convert it; None if none of this family."""
    plain = {name.removeprefix("module.") for name in names}
    if any(name.startswith("body.1.down_blocks.") for name in plain):
        return "AdcSR network weights; convert them: `python -m vsr_core convert adc_vsr --help`"
    if any("decoder.up_blocks." in name for name in plain) and not any("encoder." in name for name in plain):
        return "an AdcSR half decoder; convert it with the network: `python -m vsr_core convert adc_vsr --help`"
    return None
