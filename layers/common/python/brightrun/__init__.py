"""Bright Run: a serverless LoRA training-data platform."""
