"""Field types that stored records and request schemas share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Flag = Annotated[bool, Field(strict=True)]
"""True or false and nothing that Python would take for it, such as "yes" or 1."""
