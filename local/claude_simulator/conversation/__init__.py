"""Believable, seeded client conversations that follow the requested scaffolding."""
