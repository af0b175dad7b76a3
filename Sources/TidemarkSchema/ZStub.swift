public import TidemarkEvents
extension Schema {
  public func check(kind: EventKind, modelIndex: Int, changes: [FieldChange]) throws(ZValueError) {}
}
public struct ZValueError: Error { public let message: String }
