internal import TidemarkSchema

/// What a caller wants to do with a record. `read` of the rule language is its parts here.
public enum AccessOperation: String, Sendable, CaseIterable {
  case create, update, delete
  /// Parts of `read`.
  case get, list, listen, search, sync

  /// Whether it is a part of `read`.
  public var isRead: Bool {
    switch self {
    case .create, .update, .delete: false
    case .get, .list, .listen, .search, .sync: true
    }
  }

  var bit: UInt16 {
    switch self {
    case .create: 1
    case .update: 2
    case .delete: 4
    case .get: 8
    case .list: 16
    case .listen: 32
    case .search: 64
    case .sync: 128
    }
  }

  /// The bits of all parts of `read`.
  static let readBits: UInt16 = 8 | 16 | 32 | 64 | 128
}

extension AuthRule {
  /// The operations as bits of `AccessOperation`, with `read` taken as all of its parts.
  var operationBits: UInt16 {
    operations.reduce(0) { $0 | $1.bits }
  }
}

extension AuthRule.Operation {
  fileprivate var bits: UInt16 {
    if self == .read { return AccessOperation.readBits }
    return AccessOperation(rawValue: rawValue)?.bit ?? 0
  }
}
