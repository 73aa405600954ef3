"""Published files are recognised by their tensor names."""

import json
from pathlib import Path

import pytest
from architectures.duo_vsr.published import OFFICIAL, dit_tensors, lora, tiny_network, vae_tensors
from architectures.duo_vsr.tiny_decoders import taew
from architectures.os_diffvsr.published import original_unet_name

from vsr_core.architectures import adc_vsr, os_diffvsr
from vsr_core.architectures.duo_vsr import detect

STABLE_DIFFUSION = json.loads((Path(__file__).parents[2] / "data" / "osediff_keys.json").read_text())
NETWORK = tiny_network()
LORA = list(lora(NETWORK))
KOHYA = ["lora_unet_blocks_0_self_attn_q.lora_down.weight", "lora_unet_blocks_0_self_attn_q.alpha"]
FILES = {
    "a Wan's DiT": [list(OFFICIAL["dit"]), *(list(dit_tensors(NETWORK, s)) for s in ("diffusers", "diffusion_model."))],
    "Wan2.1's VAE": [
        list(OFFICIAL["vae"]),
        list(vae_tensors(NETWORK, "diffusers")),
        list(vae_tensors(NETWORK, "vae.")),
    ],
    "a LoRA of a Wan": [LORA, [f"transformer.{name}" for name in LORA], ["diffusion_model." + n for n in LORA], KOHYA],
    "the DiT of Wan 14B": [[*OFFICIAL["dit"], "blocks.39.self_attn.q.weight"]],
    "the DiT of an image-to-video Wan": [[*OFFICIAL["dit"], "img_emb.proj.0.weight"]],
    "Wan 2.2's VAE": [[*OFFICIAL["vae"], "decoder.upsamples.0.upsamples.0.residual.2.weight"]],
}
CASES = [(what, names) for what, files in FILES.items() for names in files]


@pytest.mark.parametrize(("what", "names"), CASES)
def test_files_are_recognised_and_the_hint_says_how_to_convert_them(what, names):
    hint = detect(names)
    assert hint.startswith(what)
    assert "`python -m vsr_core convert duo_vsr --help`" in hint


@pytest.mark.parametrize(("what", "names"), CASES)
def test_no_other_architecture_claims_them(what, names):
    assert adc_vsr.detect(names) is None
    assert os_diffvsr.detect(names) is None


def test_a_tiny_decoder_is_no_model_and_the_hint_says_where_it_belongs():
    assert "a tiny decoder of videos" in detect(taew())
    assert "models/vae_approx" in detect(taew())


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["weight"],
        list(STABLE_DIFFUSION["base"]["unet"]),
        list(STABLE_DIFFUSION["base"]["vae"]),
        list(STABLE_DIFFUSION["osediff_pkl"]["state_dict_unet"]),
        [f"model.diffusion_model.{original_unet_name(n, os_diffvsr.PAPER)}" for n in STABLE_DIFFUSION["base"]["unet"]],
    ],
)
def test_other_files_are_not_recognised(names):
    assert detect(names) is None
