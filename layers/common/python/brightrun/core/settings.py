"""Settings read from a function's environment variables."""

from __future__ import annotations

import os
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError


class Settings(BaseModel):
    """A function's environment variables, read at its first call."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    @classmethod
    def from_environment(cls) -> Self:
        """Read the fields from variables of the same name in capitals.

        Raises RuntimeError naming every variable that is missing or invalid.
        """
        values = {
            name: os.environ[name.upper()]
            for name in cls.model_fields
            if os.environ.get(name.upper())
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = "; ".join(
                f"{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()
            )
            raise RuntimeError(f"The function's environment is incomplete: {faults}") from None
