internal import CProcessor
internal import TidemarkEvents
internal import TidemarkMerge

/// The rows that a tail has changed: a hash table in memory.
///
/// Every row is kept in all its versions, for readers of an earlier moment: of a line the events
/// before that moment, of states a chain of versions.
struct TailRows: ~Copyable {
  struct Row {
    let hash: UInt64
    let keyOffset: Int
    let keyByteCount: Int
    /// As it was until the first state, if it has one.
    var linear: LinearRow
    /// The newest state's place; -1 for none.
    var state: Int
    /// The place of what the line's last event superseded; -1 for nothing.
    var superseded: Int
  }

  /// An event that stood last in a line until another took its place.
  private struct Superseded {
    let position: Position
    /// Of the event that took it.
    let lsn: UInt64
    /// The place of the one before; -1 for none.
    let previous: Int
  }

  struct StateVersion {
    let row: RecordRow
    /// The place of the one before; -1 for none.
    let previous: Int
  }

  private(set) var rows: [Row] = []
  private(set) var states: [StateVersion] = []
  private var superseded: [Superseded] = []
  /// The high half of a row's hash, and its place and one; 0 where there is none. With the hash at
  /// hand a key that is not here costs one line of the cache, not one for each row that it meets.
  private var slots: [UInt64]
  private var keys: ByteWriter

  /// - Parameter rowCount: how many rows may be expected.
  init(rowCount: Int = 0) {
    var slotCount = 256
    while slotCount < rowCount * 2 { slotCount *= 2 }
    slots = [UInt64](repeating: 0, count: slotCount)
    keys = ByteWriter(capacity: max(4096, rowCount * 20))
    rows.reserveCapacity(rowCount)
  }

  @_lifetime(borrow self)
  func key(_ place: Int) -> RawSpan {
    let row = rows[place]
    let span = unsafe keys.bytes.extracting(
      unchecked: row.keyOffset..<row.keyOffset + row.keyByteCount)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The place of a key's row.
  func find(_ key: RawSpan, _ hash: UInt64) -> Int? {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let stored = slots[slot]
      if stored == 0 { return nil }
      if stored >> 32 == hash >> 32 {
        let place = Int(truncatingIfNeeded: stored & 0xffff_ffff) - 1
        if self.key(place).hasSameBytes(as: key) { return place }
      }
      slot = (slot + 1) & mask
    }
  }

  /// Asks for the memory that `find` will look at first.
  func prefetch(_ hash: UInt64) {
    let slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    unsafe slots.withUnsafeBufferPointer { slots in
      unsafe tidemark_prefetch(slots.baseAddress.map { unsafe $0 + slot })
    }
  }

  /// Adds a row for a key that has none.
  mutating func add(_ key: RawSpan, _ hash: UInt64, _ row: StoredRow?) -> Int {
    if rows.count * 2 >= slots.count { grow() }
    let place = rows.count
    let keyOffset = keys.count
    keys.append(key)
    rows.append(
      Row(
        hash: hash, keyOffset: keyOffset, keyByteCount: key.byteCount, linear: LinearRow(),
        state: -1, superseded: -1))
    insert(place, hash)
    switch row {
    case .linear(let linear): rows[place].linear = linear
    case .state(let state): set(place, state)
    case nil: break
    }
    return place
  }

  mutating func append(_ place: Int, _ position: Position, isDelete: Bool) {
    rows[place].linear.append(position, isDelete: isDelete)
  }

  /// Puts an event in the place of the last one of a line, which it supersedes.
  mutating func replaceLast(_ place: Int, _ position: Position) {
    let last = rows[place].linear.position(rows[place].linear.count - 1)
    superseded.append(
      Superseded(position: last, lsn: position.lsn, previous: rows[place].superseded))
    rows[place].superseded = superseded.count - 1
    rows[place].linear.replaceLast(position)
  }

  mutating func set(_ place: Int, _ state: RecordRow) {
    states.append(StateVersion(row: state, previous: rows[place].state))
    rows[place].state = states.count - 1
  }

  /// Puts a state in place of the newest version, of which nothing is kept.
  mutating func replace(_ place: Int, _ state: RecordRow) {
    if rows[place].state < 0 { return set(place, state) }
    states[rows[place].state] = StateVersion(row: state, previous: -1)
  }

  /// Takes back all that events from an lsn on did.
  mutating func rollBack(_ place: Int, to lsn: UInt64) {
    while rows[place].state >= 0, states[rows[place].state].row.head >= lsn {
      rows[place].state = states[rows[place].state].previous
    }
    (rows[place].linear, rows[place].superseded) = line(rows[place], before: lsn)
  }

  /// A row's line as it was before an lsn.
  private func line(_ row: Row, before lsn: UInt64) -> (line: LinearRow, superseded: Int) {
    var line = row.linear
    var place = row.superseded
    if line.head < lsn { return (line, place) }
    // What was appended behind the last replacement goes first.
    while true {
      let known = place >= 0 ? superseded[place].lsn : 0
      while line.count > 0, line.head >= lsn, line.head != known { line = line.before(line.head) }
      guard place >= 0, known >= lsn else { return (line, place) }
      line.replaceLast(superseded[place].position)
      place = superseded[place].previous
    }
  }

  /// A row as it was before an lsn; `nil` where it was not in this table.
  func row(_ place: Int, before lsn: UInt64) -> StoredRow? {
    let row = rows[place]
    var state = row.state
    while state >= 0, states[state].row.head >= lsn { state = states[state].previous }
    if state >= 0 { return .state(states[state].row) }
    let linear = line(row, before: lsn).line
    return linear.count == 0 ? nil : .linear(linear)
  }

  /// Calls `body` with the newest version of rows.
  func forEach(_ places: [Int], _ body: (RawSpan, StoredRow) throws -> Void) throws {
    for place in places {
      if let row = row(place, before: .max) { try body(key(place), row) }
    }
  }

  private mutating func grow() {
    slots = [UInt64](repeating: 0, count: slots.count * 2)
    for place in rows.indices { insert(place, rows[place].hash) }
  }

  private mutating func insert(_ place: Int, _ hash: UInt64) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = (hash >> 32) << 32 | UInt64(place + 1)
  }

  /// The rows' places in the order of their keys.
  /// - Complexity: O(n log n).
  func sortedPlaces() -> [Int] {
    // The first eight bytes of a key tell nearly all of them apart.
    var places: [(prefix: UInt64, place: Int)] = []
    places.reserveCapacity(rows.count)
    for place in rows.indices {
      let key = key(place)
      var prefix: UInt64 = 0
      // Behind the model's two bytes and the kind of id, which stand in front in few bits.
      for offset in 0..<min(key.byteCount, 10) where offset != 0 && offset != 1 {
        let byte = unsafe key.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        prefix |= UInt64(byte) << UInt64(8 * (9 - offset))
      }
      places.append((prefix, place))
    }
    let isOneModel = isOneModel
    places.sort { a, b in
      if isOneModel, a.prefix != b.prefix { return a.prefix < b.prefix }
      return key(a.place).order(key(b.place)) < 0
    }
    return places.map(\.place)
  }

  private var isOneModel: Bool {
    guard let first = rows.indices.first else { return true }
    let model = key(first).model
    return rows.indices.allSatisfy { key($0).model == model }
  }
}

extension RawSpan {
  fileprivate var model: UInt16 {
    unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt16.self)
  }
}
