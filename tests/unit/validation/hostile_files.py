"""Bad files of many kinds, each with the problems that must be named and where.

A sound record of the file's format opens most of them, so that the format is known.
"""

from __future__ import annotations

import bz2
import gzip
import json
import tarfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

from tests.unit.validation.records import (
    Record,
    alpaca,
    conversation,
    lines,
    messages,
    pair,
    said,
    sharegpt,
    without,
)


class HostileFile(NamedTuple):
    """A file, and the `(line, code)` that must be among its problems."""

    name: str
    data: bytes
    named: set[tuple[int, str]]


GOOD = messages("Good?", "Good.")
_MESSAGE = b'{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"%s"}]}'
BAD_LINES: list[tuple[str, bytes, str]] = [
    ("not JSON", b"This line is not even JSON", "invalid_json"),
    ("cut in the middle", _MESSAGE[:40], "invalid_json"),
    ("two values on one line", b"{} {}", "invalid_json"),
    ("trailing comma", b'{"messages":[],}', "invalid_json"),
    ("single quotes", b"{'messages': []}", "invalid_json"),
    ("comment", b'{"messages":[]} // done', "invalid_json"),
    ("tab inside a string", _MESSAGE % b"a\tb", "invalid_json"),
    ("NUL inside a string", _MESSAGE % b"a\x00b", "invalid_json"),
    ("NUL bytes only", b"\x00\x00\x00", "invalid_json"),
    ("bad escape", _MESSAGE % b"\\q", "invalid_json"),
    ("short unicode escape", _MESSAGE % b"\\u12", "invalid_json"),
    ("leading zero", b'{"messages":[],"metadata":{"n":01}}', "invalid_json"),
    ("hex number", b'{"messages":[],"metadata":{"n":0x1}}', "invalid_json"),
    ("Python literals", b'{"messages":None,"ok":True}', "invalid_json"),
    ("UTF-16 line", '{"messages":[]}'.encode("utf-16-le"), "invalid_json"),
    ("gzip magic", b"\x1f\x8b\x08\x00" + b"\x00" * 20, "invalid_utf8"),
    ("Latin-1 text", _MESSAGE % "café".encode("latin-1"), "invalid_utf8"),
    ("overlong UTF-8", _MESSAGE % b"\xc0\x80", "invalid_utf8"),
    ("UTF-8 of a surrogate", _MESSAGE % b"\xed\xa0\x80", "invalid_utf8"),
    ("UTF-8 past the last character", _MESSAGE % b"\xf4\x90\x80\x80", "invalid_utf8"),
    ("truncated UTF-8", _MESSAGE % b"\xe2\x82", "invalid_utf8"),
    ("invalid UTF-8 in a key", b'{"messages":[],"\xff":1}', "invalid_utf8"),
    ("NaN", b'{"messages":[],"metadata":{"score":NaN}}', "nan_or_infinity"),
    ("Infinity", b'{"messages":[],"metadata":{"score":[1,-Infinity]}}', "nan_or_infinity"),
    ("infinite exponent", b'{"messages":[],"metadata":{"n":1e999}}', "number_out_of_range"),
    (
        "endless integer",
        b'{"messages":[],"metadata":{"n":' + b"9" * 5000 + b"}}",
        "number_out_of_range",
    ),
    ("high surrogate alone", _MESSAGE % b"\\ud83d", "lone_surrogate"),
    ("low surrogate alone", _MESSAGE % b"\\ude00 x", "lone_surrogate"),
    ("surrogates swapped", _MESSAGE % b"\\ude00\\ud83d", "lone_surrogate"),
    ("surrogate in a key", b'{"messages":[],"metadata":{"\\ud83d":1}}', "lone_surrogate"),
    ("key twice", _MESSAGE[:-1] % b"x" + b',"messages":[]}', "duplicate_key"),
    (
        "role twice",
        (_MESSAGE % b"x").replace(b'"role":"user",', b'"role":"user","role":"user",'),
        "duplicate_key",
    ),
    (
        "content twice",
        (_MESSAGE % b"x").replace(b'"content":"Hi"', b'"content":"Ho","content":"Hi"'),
        "duplicate_key",
    ),
    (
        "escaped key twice",
        (_MESSAGE % b"x").replace(b'"content":"Hi"', b'"c\\u006fntent":"Ho","content":"Hi"'),
        "duplicate_key",
    ),
    ("metadata key twice", _MESSAGE[:-1] % b"x" + b',"metadata":{"a":1,"a":2}}', "duplicate_key"),
    ("arrays 5,000 deep", b'{"messages":' + b"[" * 5000 + b"]" * 5000 + b"}", "deep_nesting"),
    ("objects 5,000 deep", b'{"messages":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "deep_nesting"),
    (
        "metadata 40 deep",
        _MESSAGE[:-1] % b"x" + b',"metadata":{"a":' + b"[" * 40 + b"]" * 40 + b"}}",
        "deep_nesting",
    ),
    ("unclosed arrays", b"[" * 100_000, "deep_nesting"),
    ("300,000 empty arrays", b"[" + b"[]," * 300_000 + b"[]]", "too_many_values"),
    ("an array", b'["messages"]', "not_an_object"),
    ("a string", b'"messages"', "not_an_object"),
    ("a number", b"42", "not_an_object"),
    ("null", b"null", "not_an_object"),
    ("an empty object", b"{}", "missing_field"),
    ("another format", lines(conversation())[:-1], "mixed_formats"),
    ("meta after the first line", b'{"_meta":{"total_pairs":1}}', "misplaced_meta"),
    ("three megabytes", _MESSAGE % (b"x" * 3_000_000), "line_too_long"),
]


def _message_records() -> Iterator[tuple[str, Record, str]]:
    user, answer = said("Hi", "Hello")
    yield "messages null", {"messages": None}, "missing_field"
    yield "messages an object", {"messages": {"0": user}}, "wrong_type"
    yield "messages empty", {"messages": []}, "empty_turns"
    yield "message a string", {"messages": ["Hi", answer]}, "wrong_type"
    yield "role missing", {"messages": [without(user, "role"), answer]}, "missing_field"
    yield "content missing", {"messages": [user, without(answer, "content")]}, "missing_field"
    yield "content null", {"messages": [user, {**answer, "content": None}]}, "missing_field"
    yield "content zero-width", messages("Hi", "\u200b\ufeff"), "empty_turn"
    yield "content JSON text", {"messages": json.dumps([user, answer])}, "wrong_type"
    image = {"type": "image_url", "image_url": {"url": "x"}}
    yield "image part", {"messages": [{**user, "content": [image]}, answer]}, "media"
    yield "image column", {"messages": [user, answer], "images": ["leaf.png"]}, "media"
    yield "video placeholder", messages("Watch.", "In <video> a leaf falls."), "media"
    yield "mask of another tool", {**messages("a", "b"), "loss_mask": [0, 1]}, "unread_field"
    yield "image placeholder", messages("<image>\nWhat is it?", "A leaf."), "media"
    yield "thinking", {"messages": [user, {**answer, "thinking": "Hm."}]}, "reasoning_field"
    yield (
        "reasoning part",
        {"messages": [user, {**answer, "content": [{"type": "thinking", "thinking": "Hm."}]}]},
        "reasoning_field",
    )
    yield "chosen beside", {"messages": [user], "chosen": answer}, "preference_data"
    yield "KTO", {"messages": [user, answer], "label": False}, "preference_data"
    yield "record weight", {"messages": [user, answer], "weight": 0.5}, "invalid_weight"
    yield "all not to train", {"messages": [user, answer], "train": False}, "no_trainable_answer"
    yield "tools defined", {"messages": [user, answer], "tools": [{"a": 1}]}, "tool_calls"
    yield "two systems beside", {
        "messages": [user, answer], "system": "a", "system_prompt": "b"
    }, "misplaced_system"  # fmt: skip
    yield "system beside and before", {
        "messages": [*said(system="a"), user, answer], "system": "b"
    }, "misplaced_system"  # fmt: skip
    yield "raw conversation", {"conversation_metadata": {}, "turns": []}, "raw_conversation"
    yield (
        "content a list",
        {"messages": [{**user, "content": [{"type": "text"}]}, answer]},
        "wrong_type",
    )
    yield "content a number", {"messages": [user, {**answer, "content": 4}]}, "wrong_type"
    yield "content empty", messages("Hi", ""), "empty_turn"
    yield "content blank", messages(" \n\u00a0\u2003", "Hello"), "empty_turn"
    yield "role unknown", {"messages": [{**user, "role": "narrator"}, answer]}, "unknown_role"
    yield "role a number", {"messages": [{**user, "role": 1}, answer]}, "wrong_type"
    yield "role tool", {"messages": [user, {"role": "tool", "content": "4"}, answer]}, "tool_calls"
    yield "tool calls", {"messages": [user, {**answer, "tool_calls": [{"id": "1"}]}]}, "tool_calls"
    yield "two users", {"messages": [user, user, answer]}, "roles_do_not_alternate"
    yield "two answers", {"messages": [user, answer, answer]}, "roles_do_not_alternate"
    yield "answer first", {"messages": [answer, user, answer]}, "first_turn_not_user"
    yield "system last", {"messages": [user, answer, *said(system="Be kind.")]}, "misplaced_system"
    yield (
        "two systems",
        {"messages": [*said(system="a"), *said("b", "c", system="d")]},
        "misplaced_system",
    )
    yield "ends on the user", messages("a", "b", "c"), "ends_without_answer"
    yield "user only", messages("a"), "no_trainable_answer"
    yield "system only", {"messages": said(system="a")}, "no_trainable_answer"
    yield "all weights zero", {"messages": [user, {**answer, "weight": 0}]}, "no_trainable_answer"
    yield "weight two", {"messages": [user, {**answer, "weight": 2}]}, "invalid_weight"
    yield "weight a half", {"messages": [user, {**answer, "weight": 0.5}]}, "invalid_weight"
    yield "weight a string", {"messages": [user, {**answer, "weight": "1"}]}, "invalid_weight"
    yield "weight true", {"messages": [user, {**answer, "weight": True}]}, "invalid_weight"
    yield "weight on the user", {"messages": [{**user, "weight": 1}, answer]}, "invalid_weight"


def _other_records() -> Iterator[tuple[str, Record, Record, str]]:
    """Name, the sound record that opens the file, the bad one, its code."""
    v4, chat, share, rows = pair(), conversation(), sharegpt(), alpaca()
    yield "v4 without target", v4, without(v4, "target_response"), "missing_field"
    yield "v4 without history", v4, without(v4, "conversation_history"), "missing_field"
    yield "v4 without id", v4, without(v4, "id"), "missing_field"
    yield "v4 history null", v4, {**v4, "conversation_history": None}, "missing_field"
    yield "v4 target a number", v4, {**v4, "target_response": 7}, "wrong_type"
    yield "v4 turn number a string", v4, {**v4, "turn_number": "4"}, "wrong_type"
    yield "v4 metadata a list", v4, {**v4, "training_metadata": []}, "wrong_type"
    yield "v4 user blank", v4, {**v4, "current_user_input": "  "}, "empty_turn"
    history: list[Any] = v4["conversation_history"]
    yield (
        "v4 history cut",
        v4,
        {**v4, "conversation_history": history[:1]},
        "roles_do_not_alternate",
    )
    yield (
        "v4 history reversed",
        v4,
        {**v4, "conversation_history": history[::-1]},
        "first_turn_not_user",
    )
    yield (
        "v4 history turn blank",
        v4,
        {**v4, "conversation_history": [{**history[0], "content": ""}, history[1]]},
        "empty_turn",
    )
    yield (
        "v4 history system",
        v4,
        {**v4, "conversation_history": said(system="x")},
        "misplaced_system",
    )
    yield (
        "v4 history role unknown",
        v4,
        {**v4, "conversation_history": [{"role": "gpt", "content": "x"}]},
        "unknown_role",
    )
    yield "v4 history of strings", v4, {**v4, "conversation_history": ["x"]}, "wrong_type"
    yield "turns null", chat, {**chat, "turns": None}, "missing_field"
    yield "turns missing", chat, without(chat, "turns"), "missing_field"
    yield "conversation id missing", chat, without(chat, "conversation_id"), "missing_field"
    yield "conversation id a part", chat, {**chat, "conversation_id": 7.5}, "wrong_type"
    yield "conversation id blank", chat, {**chat, "conversation_id": " "}, "missing_field"
    yield "v4 id empty", v4, {**v4, "id": ""}, "missing_field"
    yield (
        "ShareGPT observation",
        share,
        {"conversations": [{"from": "observation", "value": "x"}]},
        "tool_calls",
    )
    yield (
        "ShareGPT speaker unknown",
        share,
        {"conversations": [{"from": "narrator", "value": "x"}]},
        "unknown_role",
    )
    yield (
        "ShareGPT value null",
        share,
        {"conversations": [{"from": "human", "value": None}]},
        "missing_field",
    )
    yield "Alpaca output blank", rows, {**rows, "output": " "}, "no_trainable_answer"
    yield "Alpaca output null", rows, {**rows, "output": None}, "missing_field"
    yield "Alpaca output missing", rows, without(rows, "output"), "missing_field"
    yield "Alpaca nothing asked", rows, {**rows, "instruction": ""}, "empty_turn"
    yield "Alpaca input a list", rows, {**rows, "input": []}, "wrong_type"
    yield "Alpaca history of strings", rows, {**rows, "history": ["a", "b"]}, "wrong_type"
    yield "Alpaca history of three", rows, {**rows, "history": [["a", "b", "c"]]}, "wrong_type"
    yield "Alpaca history blank", rows, {**rows, "history": [["a", ""]]}, "empty_turn"


def _tar(data: bytes) -> bytes:
    written, entry = BytesIO(), tarfile.TarInfo("data.jsonl")
    entry.size = len(data)
    with tarfile.open(fileobj=written, mode="w") as archive:
        archive.addfile(entry, BytesIO(data))
    return written.getvalue()


def _other_kinds() -> Iterator[HostileFile]:
    good = lines(GOOD)
    image = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256))
    yield HostileFile("image", image, {(1, "file_is_binary")})
    weights = (64).to_bytes(8, "little") + b'{"a":{}}' + bytes(range(128, 256))
    yield HostileFile("safetensors", weights, {(1, "file_is_binary")})
    yield HostileFile("tar", _tar(good), {(1, "file_is_archive")})
    yield HostileFile("tar in gzip", gzip.compress(_tar(good)), {(1, "file_is_archive")})
    yield HostileFile("bzip2", bz2.compress(good), {(1, "file_is_archive")})
    yield HostileFile("empty ZIP", b"PK\x05\x06" + bytes(18), {(1, "file_is_zip")})
    denied = b"<Error><Code>AccessDenied</Code></Error>"
    yield HostileFile("answer of a store", denied, {(1, "file_is_html")})
    good_and_zeros = good + b"\x00" * 4000
    yield HostileFile("zeros behind records", good_and_zeros, {(2, "invalid_json")})
    rows = [{"row_idx": at, "row": GOOD, "truncated_cells": ["messages"] * at} for at in (0, 1)]
    yield HostileFile(
        "rows of the datasets server, one of them cut",
        json.dumps({"features": [{"name": "messages"}], "rows": rows}).encode(),
        {(1, "truncated_row")},
    )
    yield HostileFile("CSV", b"role,content\nuser,Hi\n", {(2, "unknown_format")})
    ragged = b"prompt,completion\na,b\nc,d,e\n"
    yield HostileFile("CSV of uneven rows", ragged, {(3, "broken_table")})
    unclosed = b'prompt,completion\na,b\n"c,d\n'
    yield HostileFile("CSV with an open quote", unclosed, {(3, "broken_table")})


def _whole_files() -> Iterator[HostileFile]:
    good = lines(GOOD)
    yield HostileFile("empty file", b"", {(1, "empty_file")})
    alike = {"prompt": "a", "chosen": "b", "rejected": "b"}
    yield HostileFile("no better answer", lines(alike), {(1, "no_preference")})
    yield HostileFile("newlines only", b"\n\n\n", {(1, "empty_file"), (2, "blank_line")})
    yield HostileFile("byte order mark", b"\xef\xbb\xbf" + good, {(1, "byte_order_mark")})
    yield HostileFile("UTF-16 file", good.decode().encode("utf-16"), {(1, "file_is_utf16")})
    yield HostileFile("CR LF", lines(GOOD, end=b"\r\n"), {(1, "crlf")})
    yield HostileFile("CR only", lines(GOOD, GOOD, end=b"\r"), {(1, "cr_line_ends")})
    wide = good.decode()
    yield HostileFile("UTF-32 file", wide.encode("utf-32"), {(1, "file_is_utf32")})
    for name in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        code = f"file_is_{name.replace('-', '')}"
        yield HostileFile(f"{name} without a mark", wide.encode(name), {(1, code)})
    yield HostileFile("ZIP", b"PK\x03\x04" + b"\x14" * 90, {(1, "file_is_zip")})
    sheet = b"PK\x03\x04\x14\x00[Content_Types].xml xl/workbook.xml"
    yield HostileFile("workbook", sheet, {(1, "file_is_spreadsheet")})
    yield HostileFile("Parquet", b"PAR1\x15\x04\x15", {(1, "file_is_parquet")})
    yield HostileFile("SQLite", b"SQLite format 3\x00\x10\x00", {(1, "file_is_sqlite")})
    yield HostileFile("web page", b"\n<!DOCTYPE html><html>", {(1, "file_is_html")})
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"
    yield HostileFile("LFS pointer", pointer, {(1, "file_is_lfs_pointer")})
    yield HostileFile("YAML", b"- messages:\n  - role: user\n", {(1, "file_is_yaml")})
    yield HostileFile("zeros", b"\x00" * 5000, {(1, "file_is_binary")})
    yield HostileFile("PDF", b"%PDF-1.7\n", {(1, "file_is_binary")})
    yield HostileFile("gzip cut off", gzip.compress(good)[:-9], {(1, "file_is_damaged")})
    yield HostileFile("JSON array", b"[" + good[:-1] + b"]", {(1, "whole_json_document")})
    yield HostileFile(
        "indented array", json.dumps([GOOD], indent=2).encode(), {(1, "whole_json_document")}
    )
    two = json.dumps([GOOD, GOOD], indent=2).encode()
    yield HostileFile("array cut off", two[:-9], {(24, "broken_document"), (14, "invalid_json")})
    comma = two[:-2] + b",\n]"
    yield HostileFile("array with a last comma", comma, {(26, "broken_document")})
    yield HostileFile("two lists", b'{"train": [{}], "test": [{}]}', {(1, "several_lists")})
    yield HostileFile(
        "indented object", json.dumps(GOOD, indent=2).encode(), {(1, "whole_json_document")}
    )
    yield HostileFile(
        "training.json of nothing", b'{"training_file_metadata":{}}', {(1, "missing_field")}
    )
    yield HostileFile(
        "unknown records", b'{"foo":1}\n{"bar":2}\n', {(1, "unknown_format"), (2, "unknown_format")}
    )
    yield HostileFile("meta only", b'{"_meta":{"total_pairs":0}}', {(1, "empty_file")})
    yield HostileFile("meta a string", b'{"_meta":"x"}\n' + lines(pair()), {(1, "misplaced_meta")})
    yield HostileFile(
        "meta twice", b'{"_meta":{}}\n{"_meta":{}}\n' + lines(pair()), {(2, "misplaced_meta")}
    )
    yield HostileFile(
        "meta counts too many",
        b'{"_meta":{"total_pairs":9}}\n' + lines(pair()),
        {(1, "meta_count_mismatch")},
    )
    yield HostileFile(
        "null targets only", lines(pair(target=None)), {(1, "null_target"), (1, "nothing_to_train")}
    )
    yield HostileFile(
        "no newline, 5 MB", b'{"messages":' + b" " * 5_000_000, {(1, "line_too_long")}
    )


def hostile_files() -> list[HostileFile]:
    """The whole corpus; the bad record stands on line 2 behind a sound one."""
    found = [HostileFile(name, lines(GOOD, line), {(2, code)}) for name, line, code in BAD_LINES]
    found += [
        HostileFile(name, lines(GOOD, record), {(2, code)})
        for name, record, code in _message_records()
    ]
    found += [
        HostileFile(name, lines(good, record), {(2, code)})
        for name, good, record, code in _other_records()
    ]
    return [*found, *_whole_files(), *_other_kinds()]
