import Tidemark
import TidemarkSync

/// The reference scenario: a feed that anyone reads, whose owners write their own posts and whose
/// `Admins` delete any, on a cloud and two devices.
final class DemoScenario {
  static let schema = """
    type Post @model @deletes(wins: delete) @auth(rules: [
      { allow: owner },
      { allow: groups, groups: ["Admins"], operations: [delete, read] },
      { allow: public, operations: [read] },
      { allow: private, operations: [read] }
    ]) {
      title: String!
      content: String
      likes: Int @merge(as: counter)
      tags: [String] @merge(as: set)
    }

    """

  let directory: String
  let teller: Teller
  let cloud: Store
  let phone: Store
  let tablet: Store
  let ann = Principal.user("ann")
  let ben = Principal.user("ben")
  let admin = Principal.user("eve", groups: ["Admins"])

  init(_ directory: String, teller: Teller) throws {
    self.directory = directory
    self.teller = teller
    func make(_ name: String, _ role: StoreRole) throws -> Store {
      try Store.create(
        at: "\(directory)/\(name)", schema: DemoScenario.schema, role: role, acceptance: .optimistic
      )
    }
    try Directories.make(directory)
    cloud = try make("cloud", .authority)
    phone = try make("phone", .device)
    tablet = try make("tablet", .device)
  }

  func run() throws {
    let names = ["cloud", "phone", "tablet"].map(Text.bold)
    teller.say(
      "A feed on three stores: the \(names[0]) decides, \(names[1]) and \(names[2]) write offline.")
    teller.say(
      "The rules: anyone reads; who is signed in writes posts of their own; Admins delete any.")
    try fillFeed()
    try signedOut()
    try ownersOnly()
    try adminDeletes()
    try concurrentEdits()
    try lawfulBetweenUnlawful()
    try sameEverywhere()
  }
}
