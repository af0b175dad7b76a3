"""Lines for `apply` that are no operations, and some that may or may not be."""

from __future__ import annotations

import json
from typing import Any

DEPTH = 100_000


def line(**changes: Any) -> bytes:
    """A sound create with something changed; `...` takes a key out."""
    operation = {"op": "create", "model": "Values", "id": "v1", "fields": {"text": "x"}, **changes}
    kept = {key: value for key, value in operation.items() if value is not ...}
    return json.dumps(kept, ensure_ascii=False).encode("utf-8", "surrogatepass")


def fields(text: str) -> bytes:
    """A sound create whose fields are this JSON text."""
    return b'{"op":"create","model":"Values","id":"v1","fields":' + text.encode() + b"}"


# Refused with exit 2 and the number of the line.
BAD: dict[str, bytes] = {
    "cut off": b'{"op":"create","model":"Values"',
    "no JSON": b"create Values v1",
    "an array": b"[1,2]",
    "null": b"null",
    "a number": b"17",
    "an empty object": b"{}",
    "two objects on a line": line() + line(id="v2"),
    "garbage after the object": line() + b" garbage",
    "broken UTF-8": line().replace(b'"x"', b'"\xff\xfe"'),
    "an overlong encoding": line().replace(b'"x"', b'"\xc0\xaf"'),
    "a surrogate in UTF-8": line().replace(b'"x"', b'"\xed\xa0\x80"'),
    "a lone surrogate escaped": fields(r'{"text":"\ud800"}'),
    "a raw NUL": line().replace(b'"x"', b'"\x00"'),
    "a control character": line().replace(b'"x"', b'"\x01"'),
    "a bad escape": fields(r'{"text":"\q"}'),
    "UTF-16": line().decode().encode("utf-16"),
    "NaN": fields('{"real":NaN}'),
    "a leading zero": fields('{"whole":01}'),
    "nested too deep": fields('{"text":' + "[" * DEPTH + "]" * DEPTH + "}"),
    "no op": line(op=...),
    "an unknown op": line(op="upsert"),
    "an op that is a number": line(op=1),
    "no model": line(model=...),
    "an unknown model": line(model="Nope"),
    "a model in another case": line(model="values"),
    "no id": line(id=...),
    "an empty id": line(id=""),
    "an id that is a number": line(id=1),
    "an id with NUL": line(id="a\0b"),
    "an id of 512 bytes": line(id="x" * 512),
    "an id of 10000 bytes": line(id="é" * 5000),
    "fields that are a list": line(fields=[]),
    "an unknown field": line(fields={"nope": 1}),
    "a delete with fields": line(op="delete"),
    "a string that is a number": line(fields={"text": 1}),
    "a string that is an object": line(fields={"text": {"add": 1}}),
    "a string that is a list": line(fields={"text": ["x"]}),
    "a boolean that is a string": line(fields={"flag": "true"}),
    "an integer that is a string": line(fields={"whole": "1"}),
    "an integer with a fraction": line(fields={"whole": 1.5}),
    "an integer past 64 bits": fields('{"whole":9223372036854775808}'),
    "an integer below 64 bits": fields('{"whole":-9223372036854775809}'),
    "an integer of 400 digits": fields('{"whole":' + "9" * 400 + "}"),
    "a float past all bounds": fields('{"real":1e400}'),
    "a date that is none": line(fields={"when": "yesterday"}),
    "a date that is a number": line(fields={"when": 5}),
    "the 30th of February": line(fields={"when": "2026-02-30T00:00:00.000Z"}),
    "a counter that is a string": line(fields={"sum": "1"}),
    "a counter that adds a string": line(fields={"sum": {"add": "1"}}),
    "a counter that adds a fraction": line(fields={"sum": {"add": 1.5}}),
    "a counter that adds too much": fields('{"sum":{"add":9223372036854775808}}'),
    "a counter that multiplies": line(fields={"sum": {"multiply": 2}}),
    "a set that adds no list": line(fields={"labels": {"add": "x"}}),
    "a set of numbers": line(fields={"labels": {"add": [1]}}),
    "a set that does something else": line(fields={"labels": {"append": ["x"]}}),
    "a splice of a register": line(fields={"text": {"splice": [[0, 0, "x"]]}}),
    "an at that is a number": line(at=1),
    "an at that is no time": line(at="noon"),
    "an at in the year 99999": line(at="99999-01-01T00:00:00.000Z"),
    "an at before 1970": line(at="1969-12-31T23:59:59.999Z"),
    "an actor that is a string": line(actor="u1"),
    "an actor of an unknown provider": line(actor={"sub": "u1", "provider": "nobody"}),
    "an actor whose sub is a number": line(actor={"sub": 1, "provider": "userPools"}),
    "an actor whose groups are a string": line(
        actor={"sub": "u1", "groups": "Admins", "provider": "userPools"}),
    "a tx that is a number": line(tx=1),
}

# Refused or taken, as long as it is one of the two and the store stays whole.
EITHER: dict[str, bytes] = {
    "a byte order mark": b"\xef\xbb\xbf" + line(id="e1"),
    "a key twice": line(id="e2")[:-1] + b',"id":"e3"}',
    "an unknown key": line(id="e4", colour="red"),
    "a blank line": b"",
    "spaces": b"   ",
    "NUL in a string": line(id="e5", fields={"text": "a\0b"}),
    "an integer written 1.0": fields('{"whole":1.0}').replace(b"v1", b"e6"),
    "an integer written 1e2": fields('{"whole":1e2}').replace(b"v1", b"e7"),
    "minus zero": fields('{"real":-0.0}').replace(b"v1", b"e8"),
    "the smallest float": fields('{"real":5e-324}').replace(b"v1", b"e9"),
    "an empty sub": line(id="e10", actor={"sub": "", "provider": "userPools"}),
    "an id of 400 bytes": line(id="y" * 400),
    "an id with a slash and a newline": line(id="a/b\nc"),
    "no fields": line(id="e12", fields=...),
    "fields that are null": line(id="e13", fields=None),
    "a text of 300 KB": line(id="e14", fields={"text": "z" * 300_000}),
    "a thousand labels": line(id="e15", fields={"labels": {"add": [f"l{n}" for n in range(1000)]}}),
}

# Taken, and shown exactly as given.
BOUNDS: dict[str, tuple[str, Any]] = {
    "zero": ("whole", 0),
    "the greatest 32-bit integer": ("whole", 2**31 - 1),
    "the least 32-bit integer": ("whole", -(2**31)),
    "a large float": ("real", 1.5e300),
    "a small float": ("real", 2.5e-300),
    "a tenth": ("real", 0.1),
    "an empty string": ("text", ""),
    "an emoji": ("text", "\U0001f30a and \u00e9 and e\u0301"),
    "an escaped string": ("text", '"\\\n\t\u2028'),
    "false": ("flag", False),
    "a time": ("when", "2026-01-02T03:04:05.678Z"),
}

# Shown exactly if taken; refused with exit 2 otherwise.
WIDE: dict[str, tuple[str, Any]] = {
    "past 32 bits": ("whole", 2**31),
    "past a double's integers": ("whole", 2**53 + 1),
    "the greatest 64-bit integer": ("whole", 2**63 - 1),
    "the least 64-bit integer": ("whole", -(2**63)),
}
