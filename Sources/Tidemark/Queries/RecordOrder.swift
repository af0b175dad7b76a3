internal import TidemarkEvents

/// The order of a query's result.
struct RecordOrder: Sendable {
  private struct Key: Sendable {
    let subject: Condition.Subject
    let isDescending: Bool
  }

  /// What of a record the order is of.
  struct Place: Sendable {
    let first: Value
    let others: [Value]
    let id: RecordID
  }

  private let keys: [Key]

  init(
    _ sort: [Query.SortKey], _ model: ModelReference, lacks: Condition.Subject? = nil
  ) throws(StoreError) {
    var keys: [Key] = []
    for key in sort {
      keys.append(
        Key(
          subject: try Condition.Subject(key.field, model, lacks), isDescending: key.isDescending))
    }
    self.keys = keys
  }

  /// Whether it is the order in which records are stored.
  var isByID: Bool {
    guard let first = keys.first else { return true }
    if case .id = first.subject { return !first.isDescending }
    return false
  }

  func place(
    of record: borrowing some FieldValues & ~Copyable
  ) throws(StoreError) -> Place {
    guard let key = keys.first else { return Place(first: .null, others: [], id: record.id) }
    var others: [Value] = []
    for key in keys.dropFirst() { others.append(try key.subject.value(in: record)) }
    return Place(first: try key.subject.value(in: record), others: others, id: record.id)
  }

  func place(_ cursor: QueryCursor) -> Place {
    Place(
      first: cursor.values.first ?? .null, others: Array(cursor.values.dropFirst()), id: cursor.id)
  }

  func cursor(_ place: Place) -> QueryCursor {
    QueryCursor(keys.isEmpty ? [] : [place.first] + place.others, place.id)
  }

  func precedes(_ a: Place, _ b: Place) -> Bool {
    if let key = keys.first {
      if a.first < b.first { return !key.isDescending }
      if b.first < a.first { return key.isDescending }
      for (index, key) in keys.dropFirst().enumerated() {
        if a.others[index] < b.others[index] { return !key.isDescending }
        if b.others[index] < a.others[index] { return key.isDescending }
      }
    }
    return a.id < b.id
  }
}

/// The first elements of an order, of all that are offered: a heap whose root is the last of them.
///
/// Source of the algorithm: Williams, “Algorithm 232: Heapsort”, 1964.
struct FirstElements<Element> {
  private let count: Int
  private let precedes: (Element, Element) -> Bool
  private var heap: [Element] = []

  init(_ count: Int, by precedes: @escaping (Element, Element) -> Bool) {
    self.count = count
    self.precedes = precedes
  }

  /// Whether an element that precedes would be kept.
  func wants(_ isBefore: (Element) -> Bool) -> Bool {
    guard count > 0 else { return false }
    guard heap.count >= count, let last = heap.first else { return true }
    return isBefore(last)
  }

  /// - Complexity: O(log count).
  mutating func insert(_ element: Element) {
    if count == Int.max {
      heap.append(element)
    } else if heap.count < count {
      heap.append(element)
      rise()
    } else if count > 0 {
      heap[0] = element
      sink()
    }
  }

  /// The elements in their order.
  consuming func sorted() -> [Element] { heap.sorted(by: precedes) }

  private mutating func rise() {
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard precedes(heap[parent], heap[child]) else { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var last = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if precedes(heap[last], heap[child]) { last = child }
      }
      if last == parent { return }
      heap.swapAt(last, parent)
      parent = last
    }
  }
}
