"""Low-rank adapters (LoRA) that learn beside frozen layers: W x + alpha / rank * B (A x) (Hu et al., 2021)."""

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from ..checkpoints.lora import merge

LAYERS = (nn.Linear, nn.Conv2d)
BASE_LAYER = "base_layer."
ADAPTER = (".lora_A.", ".lora_B.")


class LowRank(nn.Module):
    """A frozen layer with a change of low rank, which is nothing at first. Tensors have peft's names.

    It is computed beside the layer and not added to its weight: in bfloat16 a small change would be rounded away.
    """

    def __init__(self, layer: nn.Linear | nn.Conv2d, *, rank: int, alpha: float):
        super().__init__()
        self.base_layer = layer.requires_grad_(False)
        self.scaling = alpha / rank
        if isinstance(layer, nn.Linear):
            self.lora_A = nn.Linear(layer.in_features, rank, bias=False)
            self.lora_B = nn.Linear(rank, layer.out_features, bias=False)
        else:
            self.lora_A = nn.Conv2d(
                layer.in_channels, rank, layer.kernel_size, layer.stride, layer.padding, layer.dilation, bias=False
            )
            self.lora_B = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
        nn.init.normal_(self.lora_A.weight, std=1 / rank)  # as OSEDiff's
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.base_layer(x) + self.scaling * self.lora_B(self.lora_A(x))


def add_adapters(network: nn.Module, names: Iterable[str], *, rank: int, alpha: float) -> None:
    """Put a `LowRank` around each of the layers called `names`, in place. Weights of other layers stay as they are."""
    for name in names:
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, LowRank(network.get_submodule(name), rank=rank, alpha=alpha))


def layers(network: nn.Module) -> list[str]:
    """Return the names of all layers of `network` that can have an adapter."""
    return [name for name, module in network.named_modules() if isinstance(module, LAYERS)]


def merged(weights: Mapping[str, Tensor], *, alpha: float) -> dict[str, Tensor]:
    """Return the weights that a network without adapters needs to compute the same: W + alpha / rank * B A."""
    adapters = {name: value for name, value in weights.items() if any(side in name for side in ADAPTER)}
    base = {name.replace(BASE_LAYER, ""): value for name, value in weights.items() if name not in adapters}
    return merge(base, adapters, alpha=alpha)
