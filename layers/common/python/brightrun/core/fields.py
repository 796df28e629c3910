"""Field types that stored records and request schemas share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Flag = Annotated[bool, Field(strict=True)]
"""A boolean; strings and numbers such as "yes" or 1 are refused."""
