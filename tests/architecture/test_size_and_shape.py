"""The shape of the product's code: small modules, short functions, doors that only open."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.source import Module, functions, imports_any, modules, within

LONGEST_MODULE = 500
LONGEST_FUNCTION = 60
LONGEST_HANDLER = 60
USUAL_FUNCTION = 30
USUAL_SHARE = 0.9

HANDLERS = [one for one in modules() if one.within("functions") and one.path.name == "handler.py"]


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_no_module_is_longer_than_its_limit() -> None:
    long = {one.where: one.lines for one in modules() if one.lines > LONGEST_MODULE}
    assert long == {}


def test_no_function_is_longer_than_its_limit() -> None:
    long = {
        f"{one.where}:{node.name}": length(node)
        for one in modules()
        for node in functions(one)
        if length(node) > LONGEST_FUNCTION
    }
    assert long == {}


def test_nine_of_ten_functions_are_much_shorter() -> None:
    lengths = [length(node) for one in modules() for node in functions(one)]
    short = sum(one <= USUAL_FUNCTION for one in lengths)
    assert short / len(lengths) >= USUAL_SHARE


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        one.where for one in modules() if one.text.strip() and not ast.get_docstring(one.tree)
    ]
    assert silent == []


def test_nothing_is_imported_by_a_wildcard() -> None:
    wild = [
        one.where
        for one in modules()
        for node in ast.walk(one.tree)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]
    assert wild == []


def test_no_work_is_left_for_later_in_the_code() -> None:
    # Written so that this file does not find itself.
    marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error"]
    found = [f"{one.where}: {mark}" for one in modules() for mark in marks if mark in one.text]
    assert found == []


def test_there_is_one_handler_for_each_function() -> None:
    assert len(HANDLERS) >= 6


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda one: one.path.parent.name)
def test_a_handler_only_opens_a_door(handler: Module) -> None:
    assert handler.lines <= LONGEST_HANDLER
    nodes = list(ast.walk(handler.tree))
    assert not [node for node in nodes if isinstance(node, ast.Try)]
    assert not imports_any(handler, ("boto3", "botocore", "anthropic"), for_types=True)
    returned = [node.value for node in nodes if isinstance(node, ast.Return)]
    assert returned
    assert not [value for value in returned if isinstance(value, ast.Dict)]


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda one: one.path.parent.name)
def test_a_handler_has_the_entry_point_that_the_templates_name(handler: Module) -> None:
    assert "lambda_handler" in {node.name for node in functions(handler)}


@pytest.mark.parametrize("package", ["brightrun", "functions"])
def test_every_function_is_annotated(package: str) -> None:
    bare = [
        f"{one.where}:{node.name}"
        for one in within(package)
        for node in functions(one)
        if node.returns is None and node.name != "__init__"
    ]
    assert bare == []
