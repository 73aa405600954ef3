"""Put tensors into a network: every name and shape must fit, or the file is refused by name."""

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from ..errors import CheckpointError

SHOWN = 5


def check_fit(network: nn.Module, shapes: Mapping[str, tuple[int, ...]], origin: str) -> None:
    """Raise CheckpointError naming missing, unexpected and misshapen tensors of `origin`, if any."""
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    problems = [
        *_listed("missing", sorted(expected.keys() - shapes.keys())),
        *_listed("unexpected", sorted(shapes.keys() - expected.keys())),
        *_listed(
            "misshapen",
            (
                f"{name} is {tuple(shapes[name])}, expected {expected[name]}"
                for name in sorted(expected.keys() & shapes.keys())
                if tuple(shapes[name]) != expected[name]
            ),
        ),
    ]
    if problems:
        raise CheckpointError(f"{origin} does not fit its architecture: {'; '.join(problems)}.")


def assign(network: nn.Module, tensors: Mapping[str, Tensor], origin: str) -> nn.Module:
    """Give `network` (usually on `meta`) the `tensors` themselves, without a copy."""
    check_fit(network, {name: tuple(value.shape) for name, value in tensors.items()}, origin)
    odd = [f"{name} is {value.dtype}" for name, value in tensors.items() if not value.is_floating_point()]
    if odd:
        raise CheckpointError(f"{origin} holds tensors that are no weights: {'; '.join(_listed('not floating', odd))}.")
    network.load_state_dict(tensors, strict=True, assign=True)
    return network


def _listed(kind: str, names: Iterable[str]) -> list[str]:
    names = list(names)
    if not names:
        return []
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return [f"{len(names)} {kind} ({', '.join(names[:SHOWN])}{more})"]
