"""Published files that an AdcVSR can be made of."""

from ...checkpoints.published import Published, PublishedFile

HUB = "https://huggingface.co/Guaishou74851/AdcSR/resolve/main/weight"

SOURCES = {
    "adcsr": Published(
        title="AdcSR, the image model that AdcVSR grows from",
        homepage="https://github.com/Guaishou74851/AdcSR",
        licence="code Apache-2.0; the weights derive from Stable Diffusion 2.1, CreativeML Open RAIL++-M",
        files=(
            PublishedFile("net_params_200.pkl", f"{HUB}/net_params_200.pkl"),
            PublishedFile("halfDecoder.ckpt", f"{HUB}/pretrained/halfDecoder.ckpt"),
        ),
        convert="adc_vsr --adcsr {sources}/adcsr/net_params_200.pkl --decoder {sources}/adcsr/halfDecoder.ckpt "
        "--dtype fp16 -o {models}/adcsr.safetensors",
    ),
}
