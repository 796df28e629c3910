"""The outputs file that the brightrun command reads: stack outputs, and how to sign in here."""

import json
from collections.abc import Mapping
from typing import Any

from local.durability.files import write_atomically
from local.settings import DataFolder


def write_outputs(record: Mapping[str, Any], status: Mapping[str, Any], folder: DataFolder) -> None:
    """Write the outputs in the shape of ``cdk deploy --outputs-file``, with a Local section.

    ``ApiUrl`` becomes this engine's address.
    """
    document: dict[str, dict[str, str]] = {
        name: dict(stack["outputs"]) for name, stack in record.items()
    }
    for outputs in document.values():
        if "ApiUrl" in outputs:
            outputs["ApiUrl"] = status["api_url"]
    document["Local"] = {
        "endpoint_url": status["aws_endpoint_url"],
        "username": status["username"],
        "password_file": status["password_file"],
        "generator": status["generator"],
        "data_dir": status["data_dir"],
    }
    write_atomically(folder.outputs, json.dumps(document, indent=2).encode() + b"\n")
