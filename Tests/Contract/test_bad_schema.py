"""Schemas that contradict themselves: refused with line and column, and no store is made."""

from __future__ import annotations

import re

from command import BAD_INPUT, DONE, CommandTest, tidemark

GOOD_RULE = "{allow: owner}"


def with_rule(rule: str) -> str:
    """The rule stands on line 3."""
    rules = f"@auth(rules: [\n  {GOOD_RULE},\n  {rule}\n])"
    return f"type Post @model {rules} {{\n  title: String\n}}\n"


def with_field(field: str) -> str:
    """The field stands on line 3."""
    return f"type Post @model @auth(rules: [{GOOD_RULE}]) {{\n  title: String\n  {field}\n}}\n"


# name -> text, whose fault is on line 3
ON_LINE_3 = {
    "groups and groupsField": with_rule('{allow: groups, groups: ["A"], groupsField: "g"}'),
    "empty groups": with_rule("{allow: groups, groups: []}"),
    "owner by API key": with_rule("{allow: owner, provider: apiKey}"),
    "public by user pool": with_rule("{allow: public, provider: userPools}"),
    "private by API key": with_rule("{allow: private, provider: apiKey}"),
    "read with a part of it": with_rule("{allow: owner, operations: [read, get]}"),
    "identityClaim without owner": with_rule('{allow: private, identityClaim: "username"}'),
    "groupClaim without groups": with_rule('{allow: owner, groupClaim: "g"}'),
    "an unknown allow": with_rule("{allow: everyone}"),
    "an unknown operation": with_rule("{allow: owner, operations: [write]}"),
    "an unknown provider": with_rule("{allow: owner, provider: facebook}"),
    "an unknown key": with_rule("{allow: owner, ownr: 1}"),
    "a part of read on a field": with_field(
        "body: String @auth(rules: [{allow: owner, operations: [get]}])"),
    "empty rules on a field": with_field("body: String @auth(rules: [])"),
    "an unknown type": with_field("body: Strnig"),
    "a field twice": with_field("title: Int"),
    "a field without a type": with_field("body"),
    "a stray character": with_field("body: String %"),
}

# name -> text, whose fault is somewhere
ANYWHERE = {
    "empty rules": "type Post @model @auth(rules: []) {\n  title: String\n}\n",
    "auth without model": f"type Post @auth(rules: [{GOOD_RULE}]) {{\n  title: String\n}}\n",
    "a type twice": with_field("a: Int") + with_field("b: Int"),
    "cut off": "type Post @model {\n  title: String\n",
    "no model at all": "type Post {\n  title: String\n}\n",
    "empty": "",
    "binary": "\x00\x01\x02",
    "an open string": 'type Post @model @auth(rules: [{allow: groups, groups: ["A]}]) {\n a: Int }',
    "nested too deep": "type Post @model {\n a: " + "[" * 100_000 + "\n}",
}


class BadSchemaTest(CommandTest):
    def refuse(self, text: str, line: int | None) -> None:
        source, store = self.directory / "schema.graphql", self.directory / "store"
        source.write_text(text, encoding="utf-8")
        outcome = tidemark("init", store, "--schema", source, "--json", statuses=[BAD_INPUT])
        place = re.search(r"\b(\d+):(\d+)\b", outcome.message)
        self.assertIsNotNone(place, f"no line:column\n{outcome}")
        if line is not None:
            self.assertEqual(int(place[1]), line, f"{outcome}")
        self.assertFalse(store.exists(), "a store was made")

    def test_the_fault_is_named_by_line_and_column(self) -> None:
        for name, text in ON_LINE_3.items():
            with self.subTest(name):
                self.refuse(text, 3)
        for name, text in ANYWHERE.items():
            with self.subTest(name):
                self.refuse(text, None)

    def test_a_sound_schema_is_taken(self) -> None:
        source, store = self.directory / "schema.graphql", self.directory / "store"
        source.write_text(with_field("# a comment\n  body: String!"), encoding="utf-8")
        tidemark("init", store, "--schema", source, "--json", statuses=[DONE])
        tidemark("verify", store, "--json", statuses=[DONE])

    def test_a_schema_that_is_not_there_or_no_text(self) -> None:
        tidemark("init", self.directory / "s", "--schema", self.directory / "none.graphql",
                 statuses=[BAD_INPUT])
        broken = self.directory / "broken.graphql"
        broken.write_bytes(b"type Post @model { title: String # \xff\xfe\n}")
        tidemark("init", self.directory / "s", "--schema", broken, statuses=[BAD_INPUT])
        tidemark("init", self.directory / "s", "--schema", self.directory, statuses=[BAD_INPUT])
        self.assertFalse((self.directory / "s").exists())
