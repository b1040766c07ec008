"""What host and worker say to each other, one JSON line a message, in the form of the recorded samples."""

import json
from pathlib import Path
from typing import Any

from google.protobuf import json_format

_as_dict: Any = json_format.MessageToDict  # untyped


class Tape:
    """Writes messages to a file as they come."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def __call__(self, who: str, message: Any) -> None:
        """Take one message; `who` says it, "host" or "worker"."""
        said = _as_dict(message, preserving_proto_field_name=True)
        self._file.write(json.dumps({"from": who, **said}) + "\n")
