"""Runs Lambda functions as processes: one template process per function, forked per worker.

The template imports the handler once; a worker is a fork of it, so that the tenth worker costs
milliseconds and shares the first one's memory. Workers live on between invocations, as execution
environments do, and end with the engine.
"""
