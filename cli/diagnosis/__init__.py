"""What `brightrun doctor` looks at: the API, the local system, Claude, and an AWS deployment."""
