"""Letting a person change a JSON document in an editor."""

import json
import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from cli.client import Document
from cli.errors import UsageError
from cli.private_files import read_json_object


def edit_json(document: Document) -> Document:
    """Open a copy in the editor that VISUAL or EDITOR names, and read what was saved.

    Raises UsageError if there is no such editor, if it fails, or if the text is no JSON object.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise UsageError("No editor is set.", hint="Set EDITOR, or give --set or --file.")
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft.json"
        draft.write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")
        try:
            subprocess.run([*shlex.split(editor), str(draft)], check=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError) as error:
            raise UsageError(f"The editor {editor!r} failed: {error}.") from error
        return read_json_object(draft)
