"""Swift types from a schema: the same each time, in a file or on standard output."""

from __future__ import annotations

from command import BAD_INPUT, DONE, CommandTest, tidemark

SCHEMA = """type Post @model @auth(rules: [{allow: owner}]) {
  "What the list shows."
  title: String!
  %s
}
"""


class CodegenTest(CommandTest):
    def source(self, field: str = "class: Int") -> str:
        path = self.directory / "schema.graphql"
        path.write_text(SCHEMA % field, encoding="utf-8")
        return str(path)

    def test_a_file_has_what_standard_output_has(self) -> None:
        source, target = self.source(), self.directory / "Schema.swift"
        shown = tidemark("codegen", source, statuses=[DONE]).out
        tidemark("codegen", source, "--output", target, statuses=[DONE])
        self.assertEqual(target.read_bytes(), shown)
        [line] = tidemark("codegen", source, "--json", statuses=[DONE]).lines
        self.assertEqual(line["swift"].encode(), shown)
        self.assertEqual(line["models"], 1)
        code = shown.decode()
        self.assertIn("  /// What the list shows.\n  var title: String\n", code)
        self.assertIn("  var `class`: Int64?\n", code)
        self.assertNotIn("public", code)
        public = tidemark("codegen", source, "--access", "public", statuses=[DONE]).out
        self.assertIn(b"public struct Post: Record", public)

    def test_a_fault_is_named_by_line_and_column_and_nothing_is_written(self) -> None:
        target = self.directory / "Schema.swift"
        for field, place in [("body: Strnig", ":4:9:"), ("Title: String", ":4:3:")]:
            with self.subTest(field):
                outcome = tidemark(
                    "codegen", self.source(field), "--output", target, statuses=[BAD_INPUT])
                self.assertIn(place, outcome.message)
                self.assertFalse(target.exists())
