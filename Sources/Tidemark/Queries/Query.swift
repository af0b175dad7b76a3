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
  /// Whose view it is: records that the principal may not read are not there, fields that it may not
  /// read are null, for the filter and the order too. `nil` sees everything.
  public var principal: Principal?

  public init(
    _ model: String, where filter: Filter? = nil, sort: [SortKey] = [], limit: Int? = nil,
    offset: Int = 0, as principal: Principal? = nil
  ) {
    self.model = model
    self.filter = filter
    self.sort = sort
    self.limit = limit
    self.offset = offset
    self.principal = principal
  }
}
