internal import Tidemark
internal import TidemarkEvents

// What a store holds after its process died, or it went on under a new id, compared with before.

extension SimulationWorld {
  func compare(_ node: SimulatedNode, _ old: NaiveLog, _ reason: Reload) throws {
    let new = node.log
    let kept = Set(new.payloads.keys)
    let lost = node.acknowledged.filter { !kept.contains($0) && new.voided[$0] == nil }
    if !lost.isEmpty { try checkLost(lost, node, reason) }
    try checkWhole(node)
    for (label, held) in old.payloads where !kept.contains(label) && reason != .restored {
      guard lost.contains(label) || mayVanish.contains(label) else {
        throw fail(.durability, "\(node.name) lost \(label), \(held.count) events")
      }
    }
    defer { (node.isCutShort, node.mayHaveMoved) = (false, false) }
    guard reason == .reopened, !node.mayHaveMoved else { return }
    for dot in old.void where !new.void.contains(dot) {
      throw fail(.durability, "\(node.name) lost the tombstone of \(dot)")
    }
    for entry in old.vector.entries
    where entry.seq > new.vector[entry.replica] && !node.isCutShort {
      throw fail(.durability, "\(node.name) held \(entry.replica):\(entry.seq), and lost it")
    }
  }

  /// A power cut takes from a store in `relaxed` what was written last, and nothing before it.
  private func checkLost(
    _ lost: [String], _ node: SimulatedNode, _ reason: Reload
  ) throws {
    if reason == .restored {
      mayVanish.formUnion(lost)
      node.acknowledged.removeAll { lost.contains($0) }
      return
    }
    guard node.isCutShort else {
      throw fail(
        .durability,
        "\(node.name) lost \(lost.joined(separator: ", ")), which had been acknowledged")
    }
    let end = node.acknowledged.suffix(lost.count)
    guard Array(end) == lost else {
      throw fail(
        .durability, "\(node.name) lost \(lost.joined(separator: ", ")), and kept what came later")
    }
    see(.tailLost)
    mayVanish.formUnion(lost)
    node.acknowledged.removeLast(lost.count)
  }

  /// A transaction is whole or absent.
  private func checkWhole(_ node: SimulatedNode) throws {
    for (label, held) in node.log.payloads {
      guard let truth = truths[label], truth.count != held.count else { continue }
      throw fail(.atomicity, "\(node.name) holds \(held.count) of \(truth.count) of \(label)")
    }
  }
}
