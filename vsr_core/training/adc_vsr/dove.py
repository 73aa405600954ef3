"""DOVE (Chen et al. 2025), AdcVSR's teacher: CogVideoX 1.5 fine-tuned to restore a video in one step.

As github.com/zhengchen1999/DOVE runs it (inference_script.py): the enlarged input is encoded and, without noise, taken
for the noisy latent of step 399; the empty prompt; the velocity that the transformer predicts gives the clean latent.
Differs from it: the encoder's mean is taken instead of a sample, so that a run can be repeated.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ...checkpoints.text_encoder import load_text_encoder
from ...errors import CheckpointError, SettingError

if TYPE_CHECKING:
    from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel

STEP = 399
FRAME_GROUP = 8
"""One frame more than a multiple of it is what both autoencoder and transformer take without a rest."""
EXAMPLE = "THUDM/CogVideoX1.5-5B with DOVE's transformer"


class DOVE:
    """Frozen; loaded once and kept on the training device."""

    name = "DOVE"

    def __init__(
        self,
        *,
        transformer: "CogVideoXTransformer3DModel",
        vae: "AutoencoderKLCogVideoX",
        alpha: float,
        prompt: Tensor,
    ):
        """`alpha` is the scheduler's cumulative product at STEP, `prompt` the empty prompt's embedding (tokens, C)."""
        self.transformer = transformer.eval().requires_grad_(False)
        self.vae = vae.eval().requires_grad_(False)
        self.alpha, self.prompt = alpha, prompt
        self.stride = 2 ** (len(vae.config.block_out_channels) - 1)

    @torch.no_grad()
    def __call__(self, lr: Tensor, hr: Tensor) -> Tensor:
        batch, frames = lr.shape[:2]
        self._check_sides(hr)
        size = hr.shape[-2:]
        large = F.interpolate(lr.flatten(0, 1), size=size, mode="bilinear").unflatten(0, (batch, frames))
        large = F.pad(large.transpose(1, 2), (0, 0, 0, 0, 0, -(frames - 1) % FRAME_GROUP), mode="replicate")

        latent = self.vae.encode(large.to(self.vae.dtype)).latent_dist.mean * self.vae.config.scaling_factor
        clean = self._denoise(latent.transpose(1, 2)).transpose(1, 2)
        restored = self.vae.decode(clean / self.vae.config.scaling_factor).sample
        return restored[:, :, :frames].transpose(1, 2).to(hr).clamp(-1, 1)

    def _denoise(self, latent: Tensor) -> Tensor:
        """Map latents (B, F, C, h, w) to clean ones; the first frame is repeated until the patches over time fit."""
        missing = -latent.shape[1] % (self.transformer.config.patch_size_t or 1)
        latent = torch.cat([latent[:, :1].expand(-1, missing, -1, -1, -1), latent], dim=1)
        velocity = self.transformer(
            hidden_states=latent,
            encoder_hidden_states=self.prompt.to(latent).expand(len(latent), -1, -1),
            timestep=torch.full((len(latent),), STEP, device=latent.device),
            image_rotary_emb=self._positions(latent),
            return_dict=False,
        )[0]
        clean = self.alpha**0.5 * latent - (1 - self.alpha) ** 0.5 * velocity
        return clean[:, missing:]

    def _positions(self, latent: Tensor) -> tuple[Tensor, Tensor] | None:
        from diffusers.models.embeddings import get_3d_rotary_pos_embed

        config = self.transformer.config
        if not config.use_rotary_positional_embeddings:
            return None
        grid = tuple(side // config.patch_size for side in latent.shape[-2:])
        return get_3d_rotary_pos_embed(
            embed_dim=config.attention_head_dim,
            crops_coords=None,
            grid_size=grid,
            temporal_size=latent.shape[1] // (config.patch_size_t or 1),
            grid_type="slice",
            max_size=grid,
            device=latent.device,
        )

    def _check_sides(self, hr: Tensor) -> None:
        multiple = self.stride * self.transformer.config.patch_size
        if any(side % multiple for side in hr.shape[-2:]):
            raise SettingError(f"DOVE takes crops of multiples of {multiple} pixels, not {tuple(hr.shape[-2:])}.")


def load_dove(folder: Path, device: torch.device) -> DOVE:
    """Load DOVE from a folder in diffusers' layout: transformer, vae, scheduler, text_encoder, tokenizer.

    Raises CheckpointError naming what is missing, MissingPackageError without transformers.
    """
    from diffusers import AutoencoderKLCogVideoX, CogVideoXDPMScheduler, CogVideoXTransformer3DModel

    options = {"local_files_only": True, "torch_dtype": torch.bfloat16}
    try:
        transformer = CogVideoXTransformer3DModel.from_pretrained(folder, subfolder="transformer", **options)
        vae = AutoencoderKLCogVideoX.from_pretrained(folder, subfolder="vae", **options)
        scheduler = CogVideoXDPMScheduler.from_pretrained(folder, subfolder="scheduler", local_files_only=True)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder} is not a diffusers folder of {EXAMPLE}: {error}.") from error
    prompt = _empty_prompt(folder, transformer.config.max_text_seq_length)
    alpha = scheduler.alphas_cumprod[STEP].item()
    return DOVE(transformer=transformer.to(device), vae=vae.to(device), alpha=alpha, prompt=prompt.to(device))


@torch.no_grad()
def _empty_prompt(folder: Path, tokens: int) -> Tensor:
    """Return the embedding (tokens, C) of no text at all; the encoder is not kept."""
    tokenizer, encoder = load_text_encoder(
        folder, tokenizer="AutoTokenizer", encoder="T5EncoderModel", example=EXAMPLE, torch_dtype=torch.bfloat16
    )
    padded = tokenizer("", padding="max_length", max_length=tokens, truncation=True, return_tensors="pt")
    return encoder(padded.input_ids)[0][0]
