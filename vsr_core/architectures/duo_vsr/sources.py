"""Published files that a DUO-VSR can be made of."""

from ...checkpoints.published import Published, PublishedFile

HUB = "https://huggingface.co/Comfy-Org/Wan_2.1_ComfyUI_repackaged/resolve/main/split_files"
DIT = "wan2.1_t2v_1.3B_fp16.safetensors"
VAE = "wan_2.1_vae.safetensors"

SOURCES = {
    "wan21": Published(
        title="Wan2.1-T2V-1.3B, which stands in for DUO-VSR's backbone: the start of a training, not an upscaler",
        homepage="https://huggingface.co/Comfy-Org/Wan_2.1_ComfyUI_repackaged",
        licence="Apache-2.0",
        files=(
            PublishedFile(
                DIT,
                f"{HUB}/diffusion_models/{DIT}",
                2_838_303_560,
                "sha256:be531024cd9018cb5b48c40cfbb6a6191645b1c792eb8bf4f8c1c6e10f924dc5",
            ),
            PublishedFile(
                VAE,
                f"{HUB}/vae/{VAE}",
                253_815_318,
                "sha256:2fc39d31359a4b0a64f55876d8ff7fa8d780956ae2cb13463b0223e15148976b",
            ),
        ),
        convert=f"duo_vsr --wan {{sources}}/wan21/{DIT} --vae {{sources}}/wan21/{VAE} --prompt-embeds none "
        "--dtype fp16 -o {models}/duovsr.safetensors",
    ),
}
