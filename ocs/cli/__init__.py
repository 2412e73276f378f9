"""The operator's commands: look at how all stores stand, ask why, mend, take retailers on, and say who may do what."""

from ocs.cli.run import main, parser

__all__ = ["main", "parser"]
