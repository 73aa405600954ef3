"""A workflow whose model is not there is refused with words about how to get one."""

import pytest

pytestmark = pytest.mark.comfyui


@pytest.mark.parametrize("name", ["adcvsr"], indirect=True)
def test_the_server_says_where_models_come_from(server, graph):
    graph["3"]["inputs"]["model_name"] = "adcsr.safetensors"
    with pytest.raises(AssertionError, match=r"answered 400: .*no model called adcsr.safetensors.*fetch NAME"):
        server.post("/prompt", {"prompt": graph})
