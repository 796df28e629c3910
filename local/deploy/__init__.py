"""Deploys a synthesized cloud assembly (cdk.out) to the emulated AWS."""
