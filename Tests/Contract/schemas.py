"""The schemas of the tests: their text, and what the model has to know of them.

How a schema file spells merge types and the delete policy is not in the contract; the spellings
stand here once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

COUNTER = "@merge(as: counter)"
SET = "@merge(as: set)"
UPDATE_WINS = "@model @deletes(wins: update)"


@dataclass(frozen=True)
class Type:
    """One model: its fields' merge types, its delete policy, the field that names the owner."""

    fields: dict[str, str]
    update_wins: bool = False
    owner_field: str | None = None


@dataclass(frozen=True)
class Schema:
    sdl: str
    types: dict[str, Type] = field(default_factory=dict)


READERS = "{allow: public, operations: [read]}, {allow: private, operations: [read]}"

SOCIAL = Schema(
    sdl=f"""\
type Post @model
  @auth(rules: [
    {{allow: owner}},
    {{allow: groups, groups: ["Admins"], operations: [read, delete]}},
    {READERS}
  ]) {{
  title: String
  body: String
  likes: Int {COUNTER}
  tags: [String] {SET}
}}

type Board @model @auth(rules: [{{allow: private}}, {{allow: public, operations: [read]}}]) {{
  title: String
  body: String
  likes: Int {COUNTER}
  tags: [String] {SET}
}}

type Note {UPDATE_WINS}
  @auth(rules: [{{allow: private}}, {{allow: public, operations: [create, read, update]}}]) {{
  title: String
  body: String
  likes: Int {COUNTER}
  tags: [String] {SET}
}}

type Ticket @model
  @auth(rules: [{{allow: owner}}, {{allow: groups, groups: ["Admins"], operations: [read]}}]) {{
  title: String
  pinned: Boolean @auth(rules: [{{allow: groups, groups: ["Admins"]}}])
}}

type Values @model @auth(rules: [{{allow: public}}]) {{
  text: String
  flag: Boolean
  whole: Int
  real: Float
  when: AWSDateTime
  sum: Int {COUNTER}
  labels: [String] {SET}
}}
""",
    types={
        "Post": Type(
            {"title": "register", "body": "register", "likes": "counter", "tags": "set"},
            owner_field="owner"),
        "Board": Type({"title": "register", "body": "register", "likes": "counter", "tags": "set"}),
        "Note": Type(
            {"title": "register", "body": "register", "likes": "counter", "tags": "set"},
            update_wins=True),
        "Ticket": Type({"title": "register", "pinned": "register"}, owner_field="owner"),
        "Values": Type({
            "text": "register", "flag": "register", "whole": "register", "real": "register",
            "when": "register", "sum": "counter", "labels": "set"}),
    },
)

BLOG = Schema(
    sdl=f"""\
type Post @model
  @auth(rules: [
    {{allow: owner}},
    {{allow: groups, groups: ["Admins"], operations: [delete, read]}},
    {READERS}
  ]) {{
  title: String
  content: String
}}
""",
    types={"Post": Type({"title": "register", "content": "register"}, owner_field="owner")},
)
