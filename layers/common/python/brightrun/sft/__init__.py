"""What supervised fine-tuning sees of a dataset: rows, pairs, tokens, steps.

The trainer and the receipt run this code. It needs msgspec, jinja2 and tokenizers, never torch, and
of this package brightrun.formats alone: the training image holds these two folders.
"""
