"""Checks requests against botocore's own description of SageMaker."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from local.sagemaker.errors import RequestRefused, invalid

_CLASSES = {r"\p{L}": r"\w", r"\p{Z}": r"\s", r"\p{N}": r"\d", r"\p{Alnum}": "a-zA-Z0-9"}
"""Character classes that the service's patterns use and Python's do not know, nearly."""

OWN_MACHINE = "local_cpu"
"""An instance type that SageMaker does not have: this machine, for which nothing is billed."""


class ServiceModel:
    """The operations of SageMaker; read at the first use, which takes a third of a second."""

    @cached_property
    def _service(self) -> Any:
        import botocore.session

        return botocore.session.get_session().get_service_model("sagemaker")

    def check(self, operation: str, request: Any) -> None:
        """Check types, required members, ranges, patterns and names of a request.

        Raises RequestRefused: ValidationException, or UnknownOperationException.
        """
        from botocore.validate import ParamValidator

        if operation not in self._service.operation_names:
            raise RequestRefused("UnknownOperationException", f"No operation {operation}.")
        shape = self._service.operation_model(operation).input_shape
        report = ParamValidator().validate(request, shape)
        if report.has_errors():
            raise invalid(report.generate_report())
        violations = list(violations_of(shape, request, ""))
        if violations:
            count = f"{len(violations)} validation error{'s' * (len(violations) > 1)} detected: "
            raise invalid(count + "; ".join(violations))

    def members_of_answer(self, operation: str) -> set[str]:
        """Return the names that the answer of an operation may hold."""
        return set(self._service.operation_model(operation).output_shape.members)


def violations_of(shape: Any, value: Any, where: str) -> Iterator[str]:
    """Yield what breaks a constraint that botocore does not check: patterns, names, maxima."""
    if shape.type_name == "structure":
        for name, member in value.items():
            path = f"{where}.{_lower(name)}" if where else _lower(name)
            yield from violations_of(shape.members[name], member, path)
    elif shape.type_name in ("list", "map"):
        yield from _length(shape, value, where)
        for name, member in value.items() if isinstance(value, dict) else enumerate(value, 1):
            yield from violations_of(_member(shape), member, f"{where}.{name}.member")
            if shape.type_name == "map":
                yield from violations_of(shape.key, name, f"{where}.key")
    elif shape.type_name == "string":
        yield from _length(shape, value, where)
        yield from _spelling(shape, value, where)
    elif "max" in shape.metadata and value > shape.metadata["max"]:
        rule = f"Member must have value less than or equal to {shape.metadata['max']}"
        yield _violation(value, where, rule)


def _member(shape: Any) -> Any:
    return shape.value if shape.type_name == "map" else shape.member


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of the service as Python's."""
    for foreign, ours in _CLASSES.items():
        pattern = pattern.replace(foreign, ours)
    return re.compile(pattern)


def _length(shape: Any, value: Any, where: str) -> Iterator[str]:
    maximum = shape.metadata.get("max")
    if maximum is not None and len(value) > maximum:
        rule = f"Member must have length less than or equal to {maximum}"
        yield _violation(value, where, rule)


def _spelling(shape: Any, value: str, where: str) -> Iterator[str]:
    names = shape.metadata.get("enum")
    if names and value not in names and value != OWN_MACHINE:
        yield _violation(value, where, f"Member must satisfy enum value set: [{', '.join(names)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        yield _violation(value, where, f"Member must satisfy regular expression pattern: {pattern}")


def _violation(value: Any, where: str, rule: str) -> str:
    return f"Value '{str(value)[:100]}' at '{where}' failed to satisfy constraint: {rule}"


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
