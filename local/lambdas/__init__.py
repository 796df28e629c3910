"""Runs Lambda functions as processes: one template process for all, forked per worker.

The template has imported what the functions share, so that a worker of any of them costs a fork and
the function's own modules, and shares the rest of its memory. Workers live on between invocations,
as execution environments do, and end with the engine.
"""
