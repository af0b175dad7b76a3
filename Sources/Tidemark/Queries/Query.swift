public import TidemarkEvents

/// Which records of a model are wanted, in what order, and how many.
public struct Query: Hashable, Sendable {
  public struct SortKey: Hashable, Sendable {
    /// A field's name, or `id`.
    public var field: String
    public var isDescending: Bool

    public init(_ field: String, isDescending: Bool = false) {
      self.field = field
      self.isDescending = isDescending
    }
  }

  public var model: String
  /// `nil` takes every record.
  public var filter: Filter?
  /// Null comes first, then as `Value` orders; what is equal is sorted by id, ascending.
  public var sort: [SortKey]
  /// `nil` for all.
  public var limit: Int?
  /// How many of the first are left out.
  public var offset: Int
  /// Only what comes after a record that had these values: see `QueryPage`.
  public var cursor: QueryCursor?
  /// Whose view it is: records that the principal may not read are not there, fields that it may not
  /// read are null, for the filter and the order too. `nil` sees everything.
  public var principal: Principal?
  /// As it was then, of what may be read now; the whole log is read. `nil` for now.
  public var moment: Moment?

  public init(
    _ model: String, where filter: Filter? = nil, sort: [SortKey] = [], limit: Int? = nil,
    offset: Int = 0, as principal: Principal? = nil, at moment: Moment? = nil
  ) {
    self.model = model
    self.filter = filter
    self.sort = sort
    self.limit = limit
    self.offset = offset
    self.principal = principal
    self.moment = moment
  }
}

extension Query {
  /// Whether one record comes before another in an order; by model and id where they are equal. A field
  /// that a record lacks is null.
  package static func precedes(_ a: RecordView, _ b: RecordView, by sort: [SortKey]) -> Bool {
    for key in sort {
      let (left, right) = (a.value(of: key), b.value(of: key))
      if left < right { return !key.isDescending }
      if right < left { return key.isDescending }
    }
    return a.model.hasSameBytes(as: b.model)
      ? a.id < b.id : a.model.precedesInBytes(b.model)
  }

  /// The query for a page, and for the record that begins the next.
  func withOneMore() throws(StoreError) -> (Query, count: Int) {
    guard let limit, limit > 0, limit < Int.max else {
      throw StoreError(.misuse, "a page needs a limit of 1 or more")
    }
    var query = self
    query.limit = limit + 1
    return (query, limit)
  }
}

/// Where a page of a result ended: what the order is of, in its last record.
///
/// It stays good when that record changes or goes: the next page begins behind where it stood.
public struct QueryCursor: Hashable, Sendable {
  /// A value for each sort key.
  public var values: [Value]
  public var id: RecordID

  public init(_ values: [Value], _ id: RecordID) {
    self.values = values
    self.id = id
  }
}

/// A part of a result, and where the next one begins.
public struct QueryPage<Element: Sendable>: Sendable {
  public let records: [Element]
  /// What `Query.cursor` has to be for the next page; `nil` where there is none.
  public let next: QueryCursor?
}

extension QueryPage: Equatable where Element: Equatable {}

/// What is worked out of a field over the records of a result. Null takes no part.
public enum Aggregate: Hashable, Sendable {
  /// An `Int` where all values are and their sum is; else a double. 0 of nothing.
  case sum(String)
  /// A double; null of nothing.
  case average(String)
  /// As `Value` orders; null of nothing.
  case minimum(String)
  case maximum(String)
}

extension RecordView {
  fileprivate func value(of key: Query.SortKey) -> Value {
    key.field == "id" ? .string(id.string) : self[key.field] ?? .null
  }
}
