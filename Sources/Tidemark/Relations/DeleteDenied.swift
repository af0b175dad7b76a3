public import TidemarkEvents

/// A record cannot be deleted, because others name it whose key says `onDelete: DENY`. Nothing was
/// written.
public struct DeleteDenied: Error, Hashable, Sendable, CustomStringConvertible {
  /// In a receipt's reasons, where a transaction of operations was refused for it.
  public static let reasonCode = "stillNamed"
  /// Of `ids`.
  public static let idCountMax = 10

  /// The record that is named: the one to be deleted, or one that would be deleted with it.
  public let model: String
  public let id: RecordID
  /// The model and the key of those that name it.
  public let holderModel: String
  public let key: String
  /// How many name it by that key, those included that the principal may not read.
  public let count: Int
  /// The first of those that the principal may read, sorted.
  public let ids: [RecordID]

  public var description: String {
    let shown = ids.map(\.string).joined(separator: ", ")
    let names = ids.isEmpty ? "" : ": \(shown)\(ids.count < count ? ", …" : "")"
    let who = count == 1 ? "1 \(holderModel) names" : "\(count) of \(holderModel) name"
    return
      "\(model) \(id) cannot be deleted: \(who) it by \(key)\(names); delete them first, or give them another \(key)"
  }
}
