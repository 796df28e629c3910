"""A local stand-in for the Claude API: strict about requests, seeded, with scripted faults."""

from local.claude_simulator.faults import Fault, FaultScriptError, parse_faults
from local.claude_simulator.journal import Journal, fingerprint
from local.claude_simulator.simulator import ClaudeSimulator

__all__ = [
    "ClaudeSimulator",
    "Fault",
    "FaultScriptError",
    "Journal",
    "fingerprint",
    "parse_faults",
]
