internal import Synchronization
internal import TidemarkAuthorization
internal import TidemarkSchema

/// The catalogs that this process made last: a store that is opened again while its own is among them
/// does not parse again what it, or another of the same schemas, has parsed.
///
/// A catalog follows from its sources alone and never changes, so any number of stores share one.
/// One with an authorizer of its own is not kept.
final class CatalogCache: Sendable {
  static let shared = CatalogCache()
  private static let countMax = 4

  typealias Source = (source: String, isAdopted: Bool)

  /// The newest last.
  private let kept = Mutex<[(sources: [Source], catalog: Catalog)]>([])

  func catalog(
    _ sources: [Source], _ authorizer: (any CustomAuthorizer)?
  ) throws(SchemaError) -> Catalog {
    if authorizer != nil { return try Catalog(sources, authorizer) }
    if let found = kept.withLock({ $0.first { CatalogCache.same($0.sources, sources) } }) {
      return found.catalog
    }
    let made = try Catalog(sources, nil)
    kept.withLock { kept in
      if kept.count == CatalogCache.countMax { kept.removeFirst() }
      kept.append((sources, made))
    }
    return made
  }

  private static func same(_ one: [Source], _ other: [Source]) -> Bool {
    one.count == other.count
      && zip(one, other).allSatisfy {
        $0.isAdopted == $1.isAdopted && $0.source.hasSameBytes(as: $1.source)
      }
  }
}
