"""What `view` shows: filtered, sorted, limited, as somebody, and as it was; and what comes back from
`export` through `import`."""

from __future__ import annotations

from command import DONE, SAYS_NO, CommandTest, Store, operation, tidemark
from schemas import SOCIAL


class ViewTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.store = Store.create(self.directory / "store", SOCIAL, "a" * 16, "authority")
        self.store.apply(
            operation("create", "Note", "n1", {"title": "ebb", "body": ""}),
            operation("create", "Note", "n2", {"title": "flow, \"so\" to say"}),
            operation("create", "Note", "n3", {"title": "Ebb\nand flow"}), statuses=[DONE])

    def ids(self, *arguments: str) -> list[str]:
        return [line["id"] for line in tidemark("view", self.store.path, "Note", *arguments,
                                                "--json").lines]

    def test_filters_sorts_and_limits(self) -> None:
        for arguments, ids in {
            (): ["n1", "n2", "n3"],
            ("--sort", "-title"): ["n2", "n1", "n3"],
            ("--sort", "title", "--limit", "1"): ["n3"],
            ("--sort", "-id",): ["n3", "n2", "n1"],
            ("--limit", "0"): [],
            ("--where", "title=ebb"): ["n1"],
            ("--where", "title!=ebb"): ["n2", "n3"],
            ("--where", "title~flow", "--where", "id>n2"): ["n3"],
            ("--where", "id<=n2"): ["n1", "n2"],
        }.items():
            with self.subTest(arguments):
                self.assertEqual(self.ids(*arguments), ids)

    def test_a_field_that_is_not_there(self) -> None:
        for arguments in (("--where", "nope=1"), ("--sort", "nope"), ("--where", "title")):
            with self.subTest(arguments):
                tidemark("view", self.store.path, "Note", *arguments, "--json", statuses=[2])

    def test_as_it_was(self) -> None:
        dot = next(line["dot"] for line in self.store.log() if line["id"] == "n2")
        self.assertEqual(self.ids("--at", dot), ["n1", "n2"])
        self.assertEqual(self.ids("--at", "2001-01-01T00:00:00Z"), [])
        tidemark("view", self.store.path, "Note", "--id", "n3", "--at", dot, "--json",
                 statuses=[SAYS_NO])

    def test_what_is_exported_comes_back_whole(self) -> None:
        kept = {r["id"]: r["fields"] for r in self.store.view()}
        for format in ("ndjson", "csv"):
            with self.subTest(format):
                file = self.directory / f"notes.{format}"
                file.write_bytes(tidemark("export", self.store.path, "Note", "--format", format).out)
                other = Store.create(self.directory / format, SOCIAL, "b" * 16, "authority")
                tidemark("import", other.path, file, "--model", "Note", "--json", statuses=[DONE])
                self.assertEqual({r["id"]: r["fields"] for r in other.view()}, kept)
