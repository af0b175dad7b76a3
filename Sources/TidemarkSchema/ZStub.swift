public import TidemarkEvents
extension Schema {
  public static func parse(_ source: String) throws(SchemaError) -> Schema { throw SchemaError(code: .noModels, line: 1, column: 1, message: source) }
  public func check(kind: EventKind, modelIndex: Int, changes: [FieldChange]) throws(ZValueError) {}
}
public struct ZValueError: Error { public let message: String }
