"""The `brightrun` command: a client of the HTTP API, the same for a local and a deployed system."""
