"""The planted faults: where they stand in the sources, and what they make of them.

Each is a place in a file, found by its text, and what stands there instead; `MUTANT` becomes the question
whether this fault is the one that is on. All are built into one copy of the sources, so that one build
serves them all, and production code has no trace of any.
"""

ACCEPT = "Sources/Tidemark/Writing/LogWriter+Accept.swift"
REJECT = "Sources/Tidemark/Writing/LogWriter+Reject.swift"
LINE = "Sources/Tidemark/Writing/LogWriter+Line.swift"
FORK = "Sources/Tidemark/Writing/LogWriter+Fork.swift"
GROUP = "Sources/Tidemark/Writing/LocalWriter+Group.swift"
EXCHANGE = "Sources/Tidemark/Exchange/Store+Exchange.swift"
JOURNAL = "Sources/Tidemark/Journal/JournalFile.swift"
FOLD = "Sources/TidemarkMerge/RecordState+Fold.swift"
FINDING = "Sources/TidemarkAuthorization/Judgement+Finding.swift"
CREDENTIAL = "Sources/Tidemark/Principals/Credential.swift"
VALUE = "Sources/TidemarkEvents/Value.swift"

# name: [(file, text, replacement), ...]
MUTANTS = {
    "skip the causality check": [
        (ACCEPT, "where state(entry.replica).seq < entry.seq {",
         "where !MUTANT && state(entry.replica).seq < entry.seq {")],
    "accept a gap": [
        (ACCEPT, "guard first.seq == known.seq + 1 else {",
         "guard first.seq == known.seq + 1 || MUTANT else {")],
    "skip the hash chain": [
        (ACCEPT, "guard isChained else {", "guard isChained || MUTANT else {")],
    "take a fork for known": [
        (ACCEPT, "guard isSame else {", "guard isSame || MUTANT else {")],
    "no idempotence": [
        (ACCEPT, "if incoming.firstSeq <= known.seq {",
         "if !MUTANT, incoming.firstSeq <= known.seq {")],
    "drop a tombstone": [
        (ACCEPT, "return try void(rejection, &tx)",
         "return MUTANT ? .known : try void(rejection, &tx)")],
    "a tombstone leaves the view as it is": [
        (REJECT, "for key in keys { after[key] = try refold(key, &tx) }",
         "for key in keys where !MUTANT { after[key] = try refold(key, &tx) }")],
    "the author is not told": [
        (REJECT, "guard isOwn else { return }", "guard isOwn, !MUTANT else { return }")],
    "acknowledge before the sync": [
        (GROUP, "if options.durability == .full { try file.synchronize() }",
         "if options.durability == .full, !MUTANT { try file.synchronize() }")],
    "acknowledge before the write": [
        (GROUP, "try file.append(builder.bytes)",
         "if !MUTANT { try file.append(builder.bytes) }")],
    "recover nothing": [
        (GROUP, "try recover(journal)\n", "if !MUTANT { try recover(journal) }\n")],
    "recover what is torn": [
        (JOURNAL, "guard crc32c(covered, seed: seed(epoch: epoch, place: place)) == expected else",
         "guard MUTANT || crc32c(covered, seed: seed(epoch: epoch, place: place)) == expected else")],
    "the cursor before the events": [
        (EXCHANGE, "outcome.failedDot = item.firstDot\n          return outcome",
         "outcome.failedDot = item.firstDot\n          if !MUTANT { return outcome }\n          break")],
    "take a page for another state": [
        (EXCHANGE, "guard try writer.goesOn(page, from: logID, tx) else {",
         "guard try MUTANT || writer.goesOn(page, from: logID, tx) else {")],
    "a vector past what is held": [
        (EXCHANGE, "vector: VersionVector(states.filter { $0.value.seq > 0 }.map { ($0.key, $0.value.seq) }),",
         "vector: VersionVector(states.filter { $0.value.seq > 0 }.map {"
         " ($0.key, $0.value.seq + (MUTANT ? 1 : 0)) }),")],
    "issue again under any id": [
        (FORK, "guard let hash else { return nil }", "guard !MUTANT, let hash else { return nil }")],
    "issue again without the context": [
        (FORK, "var context = item.context(kept)\n",
         "var context = MUTANT ? VersionVector() : item.context(kept)\n")],
    "the last to come wins": [
        (FOLD, "let place = candidates.firstIndex { $0.rank < event.rank } ?? candidates.endIndex",
         "let place = MUTANT ? 0 : candidates.firstIndex { $0.rank < event.rank }"
         " ?? candidates.endIndex")],
    "losers are dropped": [
        (FOLD, "candidates.removeAll { event.context.contains($0.rank.dot) }",
         "candidates.removeAll { MUTANT || event.context.contains($0.rank.dot) }")],
    "a remove takes out what it had not seen": [
        (FOLD, "elements[index].adds.removeAll { event.context.contains($0) }",
         "elements[index].adds.removeAll { MUTANT || event.context.contains($0) }")],
    "a late write survives a delete": [
        (FOLD, "let isLive = deletes.isSubset(of: event.context)",
         "let isLive = MUTANT || deletes.isSubset(of: event.context)")],
    "a stamp is never clamped": [
        (ACCEPT, "if stamp > limit, let now", "if !MUTANT, stamp > limit, let now")],
    "a clock does not look at what comes": [
        (ACCEPT, "for stamp in effective { header.clock.observe(stamp) }",
         "for stamp in effective where !MUTANT { header.clock.observe(stamp) }", 2),
        (ACCEPT, "header.clock.observe(line.lastStamp)",
         "if !MUTANT { header.clock.observe(line.lastStamp) }")],
    "trust the payload's owner": [
        (FINDING,
         "guard let value = change.operation.startingValue, identity.isHeld(by: value) else {",
         "guard let value = change.operation.startingValue,"
         " MUTANT || identity.isHeld(by: value) else {")],
    "texts are compared as Unicode": [
        (VALUE, "utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)",
         "MUTANT ? self == other : utf8.count == other.utf8.count"
         " && utf8.elementsEqual(other.utf8)")],
    "send what nobody vouches for": [
        (CREDENTIAL, "guard principal.isSomebody else { return nil }",
         "guard principal.isSomebody, !MUTANT else { return nil }")],
    "judge on by the rules that were": [
        (GROUP, "isKnown ? known : try tables.catalog(tx)",
         "isKnown || MUTANT ? known : try tables.catalog(tx)")],
}
