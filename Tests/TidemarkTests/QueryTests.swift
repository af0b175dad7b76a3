import Testing
import Tidemark
import TidemarkEvents
import TidemarkTesting

/// Queries beside a naive evaluation of what `Filter` and `Query` say in words.
@Suite struct QueryTests {
  private static let schema = """
    enum Kind { NOTE TALE }
    type Post @model @auth(rules: [{ allow: owner }, { allow: groups, groups: ["Admins"] }, { allow: groups, groupsField: "team", operations: [read] }]) {
      title: String
      owner: String
      team: String
      likes: Int @merge(as: counter)
      stars: Int
      score: Float
      done: Boolean
      kind: Kind
      tags: [String] @merge(as: set)
      secret: String @auth(rules: [{ allow: owner }])
    }
    type Other @model @auth(rules: [{ allow: public }, { allow: private }]) { title: String }
    """
  private static let fields = [
    "id", "title", "likes", "stars", "score", "done", "kind", "tags", "secret",
  ]

  private let ann = Principal.user("ann")
  private let bob = Principal.user("bob", groups: ["red"])
  private let admin = Principal.user("root", groups: ["Admins"])

  /// A store with rows in the tail, the tree and runs.
  private func filled(_ generator: inout SeededGenerator, _ count: Int) throws -> Store {
    var options = StoreOptions()
    options.tuning.segmentRowCount = Int.random(in: 4...64, using: &generator)
    options.tuning.runRowCount = Int.random(in: 2...16, using: &generator)
    options.tuning.treeRowCount = Int.random(in: 8...64, using: &generator)
    let store = try Store.inMemory(schema: Self.schema, options: options)
    for number in 0..<count {
      let principal = [ann, bob, admin][number % 3]
      let id = id(Int.random(in: 0..<count, using: &generator))
      let found = try store.record("Post", id)
      let exists = found != nil
      let owner = Principal.user(found?.owner?.stringValue ?? "")
      var changes: [Tidemark.Operation.Change] = []
      for (name, operation) in operations(&generator, isOwn: !exists)
      where Bool.random(using: &generator) {
        changes.append(.init(name, operation))
      }
      if exists, Int.random(in: 0..<5, using: &generator) == 0 {
        _ = try store.submit([Operation(.delete, "Post", id, by: owner)])
      } else if exists {
        _ = try store.submit([Operation(.update, "Post", id, changes, by: admin)])
      } else {
        _ = try store.submit([Operation(.create, "Post", id, changes, by: principal)])
      }
    }
    _ = try store.submit([Operation(.create, "Other", "o1", by: ann)])
    return store
  }

  private func id(_ number: Int) -> RecordID {
    number % 2 == 0
      ? RecordID("p\(number)") : RecordID(packedUUID: UInt64(number) << 20 | 0x4000, 1 << 63)
  }

  private func operations(
    _ generator: inout SeededGenerator, isOwn: Bool
  ) -> [(String, FieldOperation)] {
    var all: [(String, FieldOperation)] = [
      ("title", .set(value("title", &generator))),
      ("team", .set(["red", "blue", .null].randomElement(using: &generator) ?? .null)),
      ("likes", .add(Int64.random(in: -3...3, using: &generator))),
      ("stars", .set(value("stars", &generator))), ("score", .set(value("score", &generator))),
      ("done", .set(value("done", &generator))), ("kind", .set(value("kind", &generator))),
      ("tags", .edit(add: [value("tag", &generator)], remove: [value("tag", &generator)])),
    ]
    if isOwn { all.append(("secret", .set(value("title", &generator)))) }
    return all
  }

  private func value(_ field: String, _ generator: inout SeededGenerator) -> Value {
    let values: [Value] =
      switch field {
      case "id": [.string(id(2).string), .string(id(5).string), "p", "p4", "p9", "0"]
      case "title", "secret": ["", "a", "ab", "abc", "b", "é", "e\u{301}", .null]
      case "likes", "stars": [-1, 0, 1, 2, 1.0, 1.5, .null]
      case "score": [-1.5, 0.0, 1.0, 2.5, .null]
      case "done": [true, false, .null]
      case "kind": ["NOTE", "TALE", .null]
      default: ["a", "b", "c"]
      }
    let value = values.randomElement(using: &generator) ?? .null
    // A whole field takes no fraction; a filter may ask for one.
    if field == "stars", case .double = value { return 3 }
    return value
  }

  private func filter(_ depth: Int, _ generator: inout SeededGenerator) -> Filter {
    let field = Self.fields.randomElement(using: &generator) ?? "id"
    func constant() -> Value {
      let name = Int.random(in: 0..<8, using: &generator) == 0 ? "likes" : field
      return value(name, &generator)
    }
    switch Int.random(in: 0..<(depth == 0 ? 6 : 9), using: &generator) {
    case 0, 1:
      return .compare(
        field: field, Filter.Comparison.allCases.randomElement(using: &generator) ?? .equal,
        constant())
    case 2: return .between(field: field, constant(), constant())
    case 3: return .beginsWith(field: field, value("title", &generator).stringValue ?? "a")
    case 4: return .contains(field: field, constant())
    case 5:
      return Bool.random(using: &generator)
        ? .isIn(field: field, [constant(), constant()]) : .exists(field: field)
    case 6: return .not(filter(depth - 1, &generator))
    case 7: return .all((0..<2).map { _ in filter(depth - 1, &generator) })
    default: return .any((0..<2).map { _ in filter(depth - 1, &generator) })
    }
  }

  private func query(_ generator: inout SeededGenerator) -> Query {
    Query(
      "Post", where: Bool.random(using: &generator) ? filter(2, &generator) : nil,
      sort: (0..<Int.random(in: 0..<3, using: &generator)).map { _ in
        Query.SortKey(
          Self.fields.randomElement(using: &generator) ?? "id",
          isDescending: Bool.random(using: &generator))
      },
      limit: Bool.random(using: &generator) ? Int.random(in: 0..<20, using: &generator) : nil,
      offset: Bool.random(using: &generator) ? Int.random(in: 0..<5, using: &generator) : 0,
      as: [nil, ann, bob, admin].randomElement(using: &generator) ?? nil)
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5, 6, 7, 33] as [UInt64])
  func `results are what a naive evaluation gives`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let store = try filled(&generator, 120)
    for _ in 0..<25 {
      let query = query(&generator)
      var all: [RecordView] = []
      try store.forEachRecord(of: "Post", as: query.principal) {
        all.append($0)
        return true
      }
      let met = all.filter { query.filter?.naive($0) ?? true }
      let sorted = met.sorted { naivelyPrecedes($0, $1, query.sort) }
      let expected = Array(sorted.dropFirst(query.offset).prefix(query.limit ?? Int.max))
      let context = Comment(rawValue: "seed \(seed): \(query)")
      #expect(try store.fetch(query) == expected, context)
      #expect(try store.count(query) == expected.count, context)
      #expect(
        try store.first(query) == (query.limit == 0 ? nil : sorted.dropFirst(query.offset).first),
        context)

      var paged = query
      paged.offset = 0
      paged.limit = 3
      var found: [RecordView] = []
      repeat {
        let page = try store.page(paged)
        found += page.records
        paged.cursor = page.next
      } while paged.cursor != nil
      #expect(found == sorted, context)

      let stars = met.compactMap { view -> Int64? in
        if case .int(let number) = view["stars"] { number } else { nil }
      }
      let titles = met.compactMap { $0["title"] }.filter { !$0.isNull }
      let sum = stars.reduce(0, +)
      let mean: Value = stars.isEmpty ? .null : .double(Double(sum) / Double(stars.count))
      let wanted: [Value] = [.int(sum), mean, titles.min() ?? .null, titles.max() ?? .null]
      let aggregates: [Aggregate] = [
        .sum("stars"), .average("stars"), .minimum("title"), .maximum("title"),
      ]
      #expect(try store.aggregate(aggregates, of: query) == wanted, context)
    }
  }

  @Test func `a moment's result is of what was there, and of what may be read now`() throws {
    let store = try Store.inMemory(schema: Self.schema)
    func create(_ id: RecordID, _ stars: Value, by principal: Principal) throws -> Dot {
      try store.submit([
        Operation(.create, "Post", id, [.init("stars", .set(stars))], by: principal)
      ]).dots[0]
    }
    _ = try create("p1", 1, by: ann)
    let then = try create("p2", 2, by: bob)
    _ = try create("p3", 3, by: ann)
    _ = try store.submit([Operation(.update, "Post", "p1", [.init("stars", .set(5))], by: ann)])
    let query = Query("Post", sort: [.init("stars", isDescending: true)], at: .event(then))
    #expect(try store.fetch(query).map(\.id) == ["p2", "p1"])
    var own = query
    own.principal = ann
    #expect(try store.fetch(own).map { $0["stars"] } == [1])
    #expect(try store.count(own) == 1)
    #expect(try store.plan(query).source == .log)
  }

  @Test func `ids are looked up or ranged over, and not all records read`() throws {
    let store = try Store.inMemory(schema: Self.schema)
    func plan(_ filter: Filter?) throws -> String {
      try store.plan(Query("Post", where: filter)).description
    }
    #expect(try plan(nil) == "read all of Post")
    #expect(try plan(.compare(field: "id", .equal, "p1")) == "look up 1 of Post by id, filter")
    #expect(
      try plan(.all([.isIn(field: "id", ["a", "b"]), .exists(field: "title")]))
        == "look up 2 of Post by id, filter")
    #expect(try plan(.beginsWith(field: "id", "a")) == "read a range of Post by id, filter")
    #expect(try plan(.not(.compare(field: "id", .equal, "p1"))) == "read all of Post, filter")
    #expect(
      try store.plan(Query("Post", sort: [.init("title")], as: ann)).description
        == "read all of Post, ask the rules of each, sort")
  }

  @Test func `what cannot be asked is refused with what can`() throws {
    let store = try Store.inMemory(schema: Self.schema)
    let cases: [(Query, StoreError.Code, String)] = [
      (Query("Pots"), .notFound, "the schema has no model Pots; it has Post, Other"),
      (
        Query("Other", where: .exists(field: "likes")), .invalid,
        "Other has no field likes; it has id, title"
      ),
      (
        Query("Other", sort: [.init("likes")]), .invalid,
        "Other has no field likes; it has id, title"
      ),
      (Query("Post", limit: -1), .misuse, "a query's limit and offset are 0 or more"),
    ]
    for (query, code, message) in cases {
      let error = #expect(throws: StoreError.self) { try store.fetch(query) }
      #expect(error?.code == code)
      #expect(error?.message == message)
    }
    #expect(throws: StoreError.self) { try store.page(Query("Post")) }
    #expect(throws: StoreError.self) { try store.aggregate([.sum("title")], of: Query("Post")) }
    var query = Query("Post", limit: 1)
    query.cursor = QueryCursor([1], "a")
    #expect(throws: StoreError.self) { try store.fetch(query) }
  }

  private func naivelyPrecedes(_ a: RecordView, _ b: RecordView, _ sort: [Query.SortKey]) -> Bool {
    for key in sort {
      let (x, y) = (a.naive(key.field), b.naive(key.field))
      if x != y { return key.isDescending ? y < x : x < y }
    }
    return a.id < b.id
  }
}

extension RecordView {
  fileprivate func naive(_ field: String) -> Value {
    field == "id" ? .string(id.string) : self[field] ?? .null
  }
}

extension Value {
  fileprivate var number: Double? {
    switch self {
    case .int(let number): Double(number)
    case .double(let number): number
    default: nil
    }
  }

  fileprivate func equals(_ other: Value) -> Bool {
    if let x = number, let y = other.number { return x == y }
    return self == other
  }

  /// Whether both are of one kind that has an order.
  fileprivate func isComparable(_ other: Value) -> Bool {
    switch (self, other) {
    case (.string, .string), (.bool, .bool), (.list, .list): true
    default: number != nil && other.number != nil
    }
  }

  fileprivate func isBefore(_ other: Value) -> Bool {
    isComparable(other) && self < other && !equals(other)
  }
}

extension Filter {
  /// What its documentation says, word for word.
  fileprivate func naive(_ view: RecordView) -> Bool {
    switch self {
    case .compare(let field, let comparison, let constant):
      let value = view.naive(field)
      switch comparison {
      case .equal: return value.equals(constant)
      case .notEqual: return !value.equals(constant)
      case .less: return value.isBefore(constant)
      case .greater: return constant.isBefore(value)
      case .lessOrEqual:
        return value.isBefore(constant) || (value.equals(constant) && !value.isNull)
      case .greaterOrEqual:
        return constant.isBefore(value) || (value.equals(constant) && !value.isNull)
      }
    case .between(let field, let first, let last):
      let value = view.naive(field)
      return !value.isNull && (first.isBefore(value) || first.equals(value))
        && (value.isBefore(last) || value.equals(last))
    case .beginsWith(let field, let prefix):
      return view.naive(field).stringValue.map { Array($0.utf8).starts(with: Array(prefix.utf8)) }
        ?? false
    case .contains(let field, let wanted):
      switch view.naive(field) {
      case .string(let text):
        guard let part = wanted.stringValue else { return false }
        let (bytes, sought) = (Array(text.utf8), Array(part.utf8))
        return sought.isEmpty
          || bytes.indices.contains { Array(bytes[$0...].prefix(sought.count)) == sought }
      case .list(let elements): return elements.contains { $0.equals(wanted) }
      default: return false
      }
    case .isIn(let field, let values): return values.contains { view.naive(field).equals($0) }
    case .exists(let field): return !view.naive(field).isNull
    case .not(let filter): return !filter.naive(view)
    case .all(let filters): return filters.allSatisfy { $0.naive(view) }
    case .any(let filters): return filters.contains { $0.naive(view) }
    }
  }
}
