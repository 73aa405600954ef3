"""A real AdcVSR model file that is small enough to run in milliseconds."""

from pathlib import Path

from restorers import tiny_network

from vsr_core.checkpoints.metadata import Metadata, config_to_json
from vsr_core.checkpoints.write import write_model


def write_tiny_model(path: Path) -> Path:
    """Write a TINY AdcVSR with random weights to `path`."""
    network = tiny_network()
    metadata = Metadata(architecture="adc_vsr", config=config_to_json(network.config), source="random")
    return write_model(path, network.state_dict(), metadata)
