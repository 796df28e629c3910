"""The smoke test: the whole path once, on AWS or on this machine, with what users have."""
