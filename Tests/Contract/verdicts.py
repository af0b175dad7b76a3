"""Operations and the verdict that the reference scenario's rules give them: one table for the
device that refuses at once and for the authority that decides later.

A row is one record of its own. `before` is lawful and already known to whoever judges; `attempt`
is one transaction, accepted or rejected as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from command import Json, operation, user

U1, U2, BOSS = user("u1"), user("u2"), user("boss", "Admins")
ACCEPTED, DENIED = "accepted", "denied"
NO_SUCH_RECORD, ALREADY_EXISTS = "noSuchRecord", "alreadyExists"


@dataclass(frozen=True)
class Row:
    name: str
    before: tuple[Json, ...]
    attempt: tuple[Json, ...]
    verdict: str

    @property
    def id(self) -> str:
        return self.name.replace(" ", "-")

    def placed(self, operations: tuple[Json, ...], tx: str | None = None) -> list[Json]:
        """The row's operations on its own record; `id` of a second record is made its own too."""
        named = [{**o, "id": self.id + o["id"]} for o in operations]
        return named if tx is None else [{**o, "tx": tx} for o in named]


def create(model: str, actor: Json | None, id: str = "", **fields: object) -> Json:
    return operation("create", model, id, {"title": "old"} | fields, actor)


def update(model: str, actor: Json | None, id: str = "", **fields: object) -> Json:
    return operation("update", model, id, fields or {"title": "new"}, actor)


def delete(model: str, actor: Json | None, id: str = "") -> Json:
    return operation("delete", model, id, None, actor)


POST = create("Post", U1)
TICKET = create("Ticket", U1)

ROWS = (
    Row("an owner creates", (), (POST,), ACCEPTED),
    Row("an owner updates", (POST,), (update("Post", U1),), ACCEPTED),
    Row("an owner deletes", (POST,), (delete("Post", U1),), ACCEPTED),
    Row("another updates", (POST,), (update("Post", U2),), DENIED),
    Row("another deletes", (POST,), (delete("Post", U2),), DENIED),
    Row("another adds to a counter", (POST,), (update("Post", U2, likes={"add": 1}),), DENIED),
    Row("another adds to a set", (POST,), (update("Post", U2, tags={"add": ["x"]}),), DENIED),
    Row("an admin deletes anyones", (POST,), (delete("Post", BOSS),), ACCEPTED),
    Row("an admin updates anothers", (POST,), (update("Post", BOSS),), DENIED),
    Row("anonymous creates", (), (create("Post", None),), DENIED),
    Row("anonymous updates", (POST,), (update("Post", None),), DENIED),
    Row("anonymous deletes", (POST,), (delete("Post", None),), DENIED),
    Row("anonymous creates where public may", (), (create("Note", None),), ACCEPTED),
    Row("anonymous deletes where public may not", (create("Note", U1),), (delete("Note", None),),
        DENIED),
    Row("another provider than the rules", (), (create("Post", user("u1", provider="oidc")),),
        DENIED),
    Row("a name in another normalization", (create("Post", user("\u00e9")),),
        (update("Post", user("e\u0301")),), DENIED),
    Row("a group in another case", (POST,), (delete("Post", user("u3", "admins")),), DENIED),
    Row("a create in anothers name", (), (create("Post", U1, owner="u2"),), DENIED),
    Row("a create in ones own name", (), (create("Post", U1, owner="u1"),), ACCEPTED),
    Row("an owner hands over", (POST,), (update("Post", U1, owner="u2"),), DENIED),
    Row("another takes over", (POST,), (update("Post", U2, owner="u2"),), DENIED),
    Row("an owner leaves the admins field alone", (TICKET,), (update("Ticket", U1),), ACCEPTED),
    Row("an owner sets the admins field", (TICKET,), (update("Ticket", U1, pinned=True),), DENIED),
    Row("an owner sets the admins field among others", (TICKET,),
        (update("Ticket", U1, title="new", pinned=True),), DENIED),
    Row("an admin sets the admins field", (TICKET,), (update("Ticket", BOSS, pinned=True),),
        ACCEPTED),
    Row("an owner deletes with the admins field", (TICKET,), (delete("Ticket", U1),), DENIED),
    Row("an update of nothing", (), (update("Post", U1),), NO_SUCH_RECORD),
    Row("a delete of nothing", (), (delete("Post", U1),), NO_SUCH_RECORD),
    Row("an update after the delete", (POST, delete("Post", U1)), (update("Post", U1),),
        NO_SUCH_RECORD),
    Row("a second create", (POST,), (POST,), ALREADY_EXISTS),
    Row("anothers create", (POST,), (create("Post", U2),), ALREADY_EXISTS),
    Row("a new life", (POST, delete("Post", U1)), (create("Post", U2),), ACCEPTED),
    Row("one transaction all lawful", (POST,),
        (update("Post", U1), create("Post", U1, id="2"), delete("Post", U1, id="2")), ACCEPTED),
    Row("one transaction the last unlawful", (create("Post", U1), create("Post", U2, id="2")),
        (update("Post", U1), create("Post", U1, id="3"), update("Post", U1, id="2")), DENIED),
    Row("one transaction the first unlawful", (create("Post", U1), create("Post", U2, id="2")),
        (update("Post", U1, id="2"), update("Post", U1)), DENIED),
    Row("one transaction creates twice", (), (POST, POST), ALREADY_EXISTS),
    Row("one transaction updates what it deleted", (POST,),
        (delete("Post", U1), update("Post", U1)), NO_SUCH_RECORD),
)


def mismatch(row: Row, decision: Json) -> str | None:
    """What is wrong with a decision that should be the row's verdict; `None` if nothing is."""
    reason, rule = decision.get("reason"), decision.get("rule")
    if row.verdict in (NO_SUCH_RECORD, ALREADY_EXISTS):
        return None if reason == row.verdict else f"the reason is {reason}, not {row.verdict}"
    if not reason or reason in (NO_SUCH_RECORD, ALREADY_EXISTS):
        return f"the reason is {reason}"
    return None if rule else "no rule is given"
