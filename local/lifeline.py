"""A pipe by which child processes notice that the engine has ended, even when killed.

The engine holds the write end and never writes; the children hold the read end, where the end of
the engine shows as the end of the file. As a script it runs another module that way:
``python -m local.lifeline DESCRIPTOR MODULE ARGUMENT...``.
"""

import os
import runpy
import sys
import threading


class Lifeline:
    """The engine's side; ``descriptor`` is the read end, to be passed to children."""

    def __init__(self) -> None:
        self.descriptor, self._held = os.pipe()

    def cut(self) -> None:
        """End every process that watches this lifeline."""
        os.close(self._held)
        os.close(self.descriptor)


def end_with(descriptor: int) -> None:
    """End this process as soon as the engine's end of the lifeline is closed."""

    def watch() -> None:
        os.read(descriptor, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    module, sys.argv = sys.argv[2], sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
