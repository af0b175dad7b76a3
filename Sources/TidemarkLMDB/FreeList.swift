/// The pages that a store's state does not use, read from the file without LMDB.
///
/// A tree whose keys are transaction ids and whose values are `count, page, page …`. Everything in
/// it is hostile until checked: what does not add up means "not in the list".
struct FreeList {
  private let root: UInt
  private let pageByteCount: Int
  private let fileByteCount: UInt64

  init(_ state: MetaPage, byteCount: UInt64) {
    root = state.freeTable.root
    pageByteCount = state.pageByteCount
    fileByteCount = byteCount
  }

  /// True where every page of a range is free.
  /// - Complexity: O(free pages), within the size of the file.
  func contains(
    _ range: ClosedRange<UInt>,
    read: (_ offset: UInt64, _ count: Int) throws(LMDBError) -> [UInt8]
  ) throws(LMDBError) -> Bool {
    // Each entry takes a word in the file: a longer range cannot be listed in it.
    guard root != MetaPage.noPage,
      UInt64(range.upperBound - range.lowerBound) < fileByteCount / UInt64(MetaPage.word)
    else { return false }
    var found: Set<UInt> = []
    var pending = [root]
    var budget = fileByteCount / UInt64(pageByteCount)
    while let number = pending.popLast() {
      guard budget > 0, UInt64(number) < fileByteCount / UInt64(pageByteCount) else { return false }
      budget -= 1
      let page = try read(UInt64(number) * UInt64(pageByteCount), pageByteCount)
      let nodes = Nodes(page)
      for offset in nodes.offsets {
        if nodes.isBranch {
          guard let child = nodes.child(at: offset) else { return false }
          pending.append(child)
        } else if let entries = try self.entries(of: nodes, at: offset, read: read) {
          found.formUnion(entries.lazy.filter { range.contains($0) })
        } else {
          return false
        }
      }
    }
    return UInt(found.count) == range.upperBound - range.lowerBound + 1
  }

  /// The pages that one node lists; nil where it is damaged.
  private func entries(
    of nodes: Nodes, at offset: Int,
    read: (_ offset: UInt64, _ count: Int) throws(LMDBError) -> [UInt8]
  ) throws(LMDBError) -> [UInt]? {
    guard let value = nodes.value(at: offset) else { return nil }
    let word = MetaPage.word
    if !value.isElsewhere {
      return Self.list(nodes.page, from: value.offset, byteCount: value.byteCount)
    }
    guard let page = nodes.integer(value.offset, as: UInt.self) else { return nil }
    let (start, overflow) = UInt64(page).multipliedReportingOverflow(by: UInt64(pageByteCount))
    guard !overflow, start < fileByteCount, UInt64(value.byteCount) <= fileByteCount - start else {
      return nil
    }
    let bytes = try read(start, value.byteCount + MetaPage.headerByteCount)
    guard value.byteCount % word == 0 else { return nil }
    return Self.list(bytes, from: MetaPage.headerByteCount, byteCount: value.byteCount)
  }

  private static func list(_ bytes: [UInt8], from offset: Int, byteCount: Int) -> [UInt]? {
    let word = MetaPage.word
    guard let count = integer(bytes, offset, as: UInt.self), count < UInt(byteCount / word)
    else { return nil }
    var pages: [UInt] = []
    for index in 0..<Int(count) {
      guard let page = integer(bytes, offset + word * (index + 1), as: UInt.self) else {
        return nil
      }
      pages.append(page)
    }
    return pages
  }

  fileprivate static func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: [UInt8], _ offset: Int, as type: T.Type
  ) -> T? {
    guard offset >= 0, offset <= bytes.count - MemoryLayout<T>.size else { return nil }
    return unsafe bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type)
  }

  /// The nodes of one branch or leaf page: offsets after the header, nodes at the end.
  private struct Nodes {
    let page: [UInt8]
    let isBranch: Bool
    var offsets: [Int] = []

    init(_ page: [UInt8]) {
      self.page = page
      let flags = FreeList.integer(page, MetaPage.word + 2, as: UInt16.self) ?? 0
      isBranch = flags & 0x01 != 0
      let lower = Int(FreeList.integer(page, MetaPage.word + 4, as: UInt16.self) ?? 0)
      guard isBranch != (flags & 0x02 != 0), lower <= page.count else { return }
      for offset in stride(from: MetaPage.headerByteCount, to: lower, by: 2) {
        offsets.append(Int(FreeList.integer(page, offset, as: UInt16.self) ?? 0))
      }
    }

    func integer<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T? {
      FreeList.integer(page, offset, as: type)
    }

    /// The low and the high half of the number at a node's start.
    private func halves(_ offset: Int) -> UInt32? {
      guard let first = integer(offset, as: UInt16.self),
        let second = integer(offset + 2, as: UInt16.self)
      else { return nil }
      let (low, high) = 1.littleEndian == 1 ? (first, second) : (second, first)
      return UInt32(low) | UInt32(high) << 16
    }

    func child(at offset: Int) -> UInt? {
      guard let low = halves(offset), let flags = integer(offset + 4, as: UInt16.self) else {
        return nil
      }
      return MetaPage.word == 8
        ? UInt(truncatingIfNeeded: UInt64(low) | UInt64(flags) << 32) : UInt(low)
    }

    func value(at offset: Int) -> (offset: Int, byteCount: Int, isElsewhere: Bool)? {
      guard let byteCount = halves(offset), let flags = integer(offset + 4, as: UInt16.self),
        let keyByteCount = integer(offset + 6, as: UInt16.self),
        let count = Int(exactly: byteCount)
      else { return nil }
      return (offset + 8 + Int(keyByteCount), count, flags & 0x01 != 0)
    }
  }
}
