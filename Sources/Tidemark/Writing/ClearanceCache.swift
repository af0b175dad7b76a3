internal import TidemarkAuthorization
internal import TidemarkEvents

/// What the principals of a transaction may do, kept for as long as the same ones write.
struct ClearanceCache {
  private var catalog: Catalog?
  private(set) var principals: [Principal] = []
  /// By principal, then by model's place in the schema.
  private var known: [[Clearance?]] = []

  /// Goes over to a transaction's principals.
  mutating func begin(_ principals: [Principal], _ catalog: Catalog) {
    if catalog === self.catalog, principals == self.principals { return }
    self.catalog = catalog
    self.principals = principals
    let none = [Clearance?](repeating: nil, count: catalog.current.models.count)
    known = principals.map { _ in none }
  }

  /// - Precondition: `begin`; the principal and the model are among those it was given.
  mutating func clearance(principal: Int, model: Int, _ policy: Policy) -> Clearance {
    if let clearance = known[principal][model] { return clearance }
    let clearance = policy.clearance(model: model, principal: principals[principal])
    known[principal][model] = clearance
    return clearance
  }
}
