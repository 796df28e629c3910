"""Clients of other systems that write in bulk, each run by an environment of its own."""
