import CLMDB

/// A table in memory: entries in the order of their keys, in leaves that snapshots share.
///
/// Invariants: no leaf is empty; keys rise from entry to entry and from leaf to leaf; `count` is that
/// of all entries.
@safe struct MemoryTable {
  let kind: Table.Kind
  private(set) var leaves: ContiguousArray<MemoryLeaf> = []
  private(set) var count = 0

  init(_ kind: Table.Kind) { self.kind = kind }

  /// Where an entry stands, or would.
  struct Place {
    var leaf: Int
    var index: Int
  }

  func prefix(of key: UnsafeRawBufferPointer) -> UInt64 {
    if kind == .integerKeys { return unsafe key.loadUnaligned(as: UInt64.self) }
    if key.count >= 8 {
      return UInt64(bigEndian: unsafe key.loadUnaligned(as: UInt64.self))
    }
    var prefix: UInt64 = 0
    for index in 0..<8 {
      prefix = unsafe prefix << 8 | UInt64(index < key.count ? key[index] : 0)
    }
    return prefix
  }

  /// The first entry whose key is at or after a key, and whether it is that key's.
  /// - Complexity: O(log n).
  func place(
    of key: UnsafeRawBufferPointer, _ prefix: UInt64
  ) -> (place: Place, isExact: Bool) {
    var low = 0
    var high = leaves.count
    // The first leaf whose last entry is not before the key.
    while low < high {
      let middle = (low + high) / 2
      let entries = leaves[middle].entries
      if unsafe order(entries[entries.count - 1], key, prefix) < 0 {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < leaves.count else { return (Place(leaf: low, index: 0), false) }
    let leaf = leaves[low]
    var first = 0
    var last = leaf.entries.count
    while first < last {
      let middle = (first + last) / 2
      if unsafe order(leaf.entries[middle], key, prefix) < 0 {
        first = middle + 1
      } else {
        last = middle
      }
    }
    let isExact = unsafe order(leaf.entries[first], key, prefix) == 0
    return (Place(leaf: low, index: first), isExact)
  }

  subscript(place: Place) -> MemoryEntry { leaves[place.leaf].entries[place.index] }

  func contains(_ place: Place) -> Bool {
    place.leaf >= 0 && place.leaf < leaves.count && place.index >= 0
      && place.index < leaves[place.leaf].entries.count
  }

  func after(_ place: Place) -> Place {
    place.index + 1 < leaves[place.leaf].entries.count
      ? Place(leaf: place.leaf, index: place.index + 1) : Place(leaf: place.leaf + 1, index: 0)
  }

  func before(_ place: Place) -> Place {
    if place.leaf < leaves.count, place.index > 0 {
      return Place(leaf: place.leaf, index: place.index - 1)
    }
    guard place.leaf > 0 else { return Place(leaf: -1, index: 0) }
    return Place(leaf: place.leaf - 1, index: leaves[place.leaf - 1].entries.count - 1)
  }

  var lastPlace: Place { before(Place(leaf: leaves.count, index: 0)) }

  /// Sets the entry at a place, or puts it in before what stands there.
  mutating func put(_ entry: MemoryEntry, at place: Place, replaces: Bool) {
    if replaces {
      own(place.leaf).entries[place.index] = entry
      return
    }
    count += 1
    guard !leaves.isEmpty else {
      leaves.append(MemoryLeaf([entry]))
      return
    }
    // Behind everything is in the last leaf, where that has room.
    let isEnd = place.leaf == leaves.count
    let index = isEnd ? place.leaf - 1 : place.leaf
    if isEnd, leaves[index].entries.count == MemoryLeaf.countMax {
      leaves.append(MemoryLeaf([entry]))
      return
    }
    let leaf = own(index)
    leaf.entries.insert(entry, at: isEnd ? leaf.entries.count : place.index)
    guard leaf.entries.count > MemoryLeaf.countMax else { return }
    let middle = leaf.entries.count / 2
    leaves.insert(MemoryLeaf(ContiguousArray(leaf.entries[middle...])), at: index + 1)
    leaf.entries.removeSubrange(middle...)
  }

  mutating func remove(at place: Place) {
    count -= 1
    let leaf = own(place.leaf)
    leaf.entries.remove(at: place.index)
    if leaf.entries.isEmpty { leaves.remove(at: place.leaf) }
  }

  mutating func removeAll() {
    leaves = []
    count = 0
  }

  /// A leaf that no snapshot has.
  private mutating func own(_ index: Int) -> MemoryLeaf {
    if !isKnownUniquelyReferenced(&leaves[index]) {
      leaves[index] = MemoryLeaf(leaves[index].entries)
    }
    return leaves[index]
  }

  /// Less than, equal to or greater than zero, as the entry stands before, at or after a key.
  private func order(
    _ entry: MemoryEntry, _ key: UnsafeRawBufferPointer, _ prefix: UInt64
  ) -> Int {
    if entry.prefix != prefix { return entry.prefix < prefix ? -1 : 1 }
    if kind == .integerKeys { return 0 }
    let known = unsafe entry.key
    let shared = min(known.count, key.count)
    for index in 0..<shared {
      let (a, b) = unsafe (known[index], key[index])
      if a != b { return a < b ? -1 : 1 }
    }
    return known.count - key.count
  }
}
