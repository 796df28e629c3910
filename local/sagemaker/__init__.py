"""The emulated SageMaker: training jobs that run the training container as processes.

A job runs the container's own entry point over a folder that looks like ``/opt/ml``, with its
channels, checkpoints and artifacts in the emulated S3. Jobs survive a restart of the engine the
way spot training survives an interruption: from their checkpoints.

What differs from SageMaker: one host and one process whatever the instance says, no image, no
prices, archives of models only as ``model.tar.gz``, input modes other than files refused.
"""
