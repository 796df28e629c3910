"""Bright Run on one machine: the synthesized templates on an emulated AWS, and what they need."""
