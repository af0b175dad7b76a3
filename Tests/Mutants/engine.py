"""Plants faults in the engine, one at a time, and sees that the tests catch each:
`python3 Tests/Mutants/engine.py [-k TEXT] [--directory DIR]`.

The faults are planted in a copy of the sources, which is built there; the first build takes as long
as any. The last line is `N caught, N survived`; the exit status is 0 only if none survived.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = "TidemarkAuthorizationTests"
STORE = "TidemarkSyncTests"


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    old: str
    new: str
    tests: str = ENGINE


AUTHORIZATION = "Sources/TidemarkAuthorization/"
MUTANTS = (
    Mutant("any provider counts", AUTHORIZATION + "Judgement+Finding.swift",
           "guard let credential, provider == rule.provider else {", "guard let credential else {"),
    Mutant("nobody need be signed in", AUTHORIZATION + "Judgement+Finding.swift",
           "if rule.needsSignIn && !isSignedIn { return .notSignedIn }", ""),
    Mutant("an update reads the owner that it gives", AUTHORIZATION + "Judgement+Finding.swift",
           "guard let field else { return .notOwner }\n    if request.operation == .create {",
           "guard let field else { return .notOwner }\n    if request.operation != .delete {"),
    Mutant("an owner may hand a record on", AUTHORIZATION + "Judgement+Finding.swift",
           "return policy.isGuardedOwner[field]", "return policy.isGuardedOwner[field] && field < 0"),
    Mutant("the owner of an update is not the stored one", AUTHORIZATION + "Judgement+Finding.swift",
           "return identity.isHeld(by: value) ? .applies : .notOwner",
           "return identity.isHeld(by: value) || !value.isNull ? .applies : .notOwner"),
    Mutant("groups that are left out match", AUTHORIZATION + "Judgement+Finding.swift",
           "return isGiven ? .applies : .notInRecordGroup",
           "return isGiven || field >= 0 ? .applies : .notInRecordGroup"),
    Mutant("nobody is filled in", AUTHORIZATION + "Judgement+Finding.swift",
           "guard request.operation == .create, isSignedIn, let principal else { return [] }",
           "guard request.operation == .delete, isSignedIn, let principal else { return [] }"),
    Mutant("null needs no delete", AUTHORIZATION + "Judgement.swift",
           "where request.changes[index].operation.setsNull {", "where false {"),
    Mutant("a delete asks no field", AUTHORIZATION + "Judgement.swift",
           "tally.require(judgeField(field, .delete))", "_ = judgeField(field, .delete)"),
    Mutant("a field's rules add to the model's", AUTHORIZATION + "CompiledRule.swift",
           "func level(of field: Int) -> Level { fieldLevels[field] ?? record }",
           "func level(of field: Int) -> Level { record }"),
    Mutant("operations are not asked", AUTHORIZATION + "CompiledRule.swift",
           "operations & operation.bit != 0", "operations != 0"),
    Mutant("modes are tried backwards", AUTHORIZATION + "CompiledRule.swift",
           "return allowOrder * 8 + provider.modeOrder",
           "return -(allowOrder * 8 + provider.modeOrder)"),
    Mutant("a user name may hold a whole identity", AUTHORIZATION + "Identity.swift",
           "return !Identity.holdsDelimiter(second)", "return true"),
    Mutant("groups are compared as texts", AUTHORIZATION + "Identity.swift",
           "principal.groups.contains { $0.hasSameBytes(as: group) }",
           "principal.groups.contains { $0 == group }"),
    Mutant("owners are compared as texts", AUTHORIZATION + "Identity.swift",
           "if owner.hasSameBytes(as: first) { return true }", "if owner == first { return true }"),
    Mutant("a hidden field shows its record", AUTHORIZATION + "ReadAccess.swift",
           "if finding != .applies {", "if finding == .notOwner {"),
    Mutant("a clearance forgets fields with rules", AUTHORIZATION + "Clearance.swift",
           "policy.ownFields.isEmpty && ", "", STORE),
    Mutant("several credentials are cleared by the first", AUTHORIZATION + "Clearance.swift",
           " && principal.also.isEmpty", "", STORE),
    Mutant("a dry run forgets what an author had seen", "Sources/Tidemark/Policy/LogJudge.swift",
           ".filter { context.contains($0.rank.dot) }", ".filter { _ in true }", STORE),
    Mutant("a dry run keeps what it refused", "Sources/Tidemark/Policy/LogJudge.swift",
           "if let denial = checked.denial {\n        verdict.refused = (0, denial)\n        return verdict",
           "if let denial = checked.denial {\n        verdict.refused = (0, denial)", STORE),
    Mutant("pending work is judged with the past", "Sources/Tidemark/Policy/DryRun.swift",
           "isOnward: true) : nil\n      let present", "isOnward: false) : nil\n      let present",
           STORE),
    Mutant("nothing is folded again for another schema", "Sources/Tidemark/Policy/Store+Adopt.swift",
           "for key in keys { try refold(key, &tx) }", "", STORE),
    Mutant("expired credentials submit", "Sources/Tidemark/Principals/Credential.swift",
           "expiresMilliseconds.map { $0 <= milliseconds } ?? false", "false", STORE),
    Mutant("work behind held work goes", "Sources/Tidemark/Principals/Credential.swift",
           "guard isHolding else { return true }",
           "guard isHolding, principals.isEmpty else { return true }", STORE),
    Mutant("a rejection comes again after it was acknowledged",
           "Sources/Tidemark/Rejections/RejectionUpdates.swift",
           ".filter { !$0.isAcknowledged }", ".filter { _ in true }", STORE),
    Mutant("what is submitted again stays unacknowledged",
           "Sources/Tidemark/Rejections/Store+Resubmit.swift", "notice.isAcknowledged = true", "",
           STORE),
)


def run(directory: Path, tests: str) -> tuple[bool, str]:
    """Whether the tests pass there."""
    outcome = subprocess.run(["swift", "test", "--filter", tests], cwd=directory,
                             capture_output=True, text=True)
    return outcome.returncode == 0, outcome.stdout + outcome.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-k", dest="text", default="", help="only faults whose names hold this")
    parser.add_argument("--tests", default="", help="only faults that these tests are to catch")
    parser.add_argument("--directory", type=Path, help="keep the copy here, and what was built")
    parser.add_argument("--list", action="store_true", help="only list the faults")
    parser.add_argument("--trusting", action="store_true",
                        help="do not run the tests without a fault first")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if options.text in m.name and options.tests in m.tests]
    if options.list:
        print("\n".join(mutant.name for mutant in chosen))
        return 0
    directory = options.directory or Path(tempfile.mkdtemp(prefix="tidemark-mutants-"))
    shutil.copytree(ROOT, directory, dirs_exist_ok=True, symlinks=True,
                    ignore=shutil.ignore_patterns(".git", ".build"))
    for tests in [] if options.trusting else sorted({m.tests for m in chosen}):
        passes, output = run(directory, tests)
        if not passes:
            print(output[-3000:], f"{tests} fail without a fault", sep="\n")
            return 1
    survived = []
    for mutant in chosen:
        path = directory / mutant.file
        source = path.read_text(encoding="utf-8")
        if source.count(mutant.old) != 1:
            print(f"{mutant.name}: its place is not in {mutant.file}: bring the list up to date")
            survived.append(mutant)
            continue
        started = time.monotonic()
        path.write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")
        passes, output = run(directory, mutant.tests)
        path.write_text(source, encoding="utf-8")
        is_built = "error: fatalError" not in output and ": error: " not in output
        verdict = "SURVIVED" if passes else "caught" if is_built else "DOES NOT COMPILE"
        if verdict != "caught":
            survived.append(mutant)
        print(f"{verdict:9} {mutant.name} ({time.monotonic() - started:.0f} s)", flush=True)
    if not options.directory:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{len(chosen) - len(survived)} caught, {len(survived)} survived")
    return 0 if not survived else 1


if __name__ == "__main__":
    sys.exit(main())
