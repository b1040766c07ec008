"""How the Azure clients reach the network."""

import urllib.request
from typing import Any


def environment_settings() -> dict[str, Any]:
    """Options for every Azure client: proxies of the environment count where there are any.

    Where there are none, looking for them (and for ~/.netrc) at each request would cost a tenth of the CPU of
    a wave's planning.
    """
    return {"use_env_settings": bool(urllib.request.getproxies())}
