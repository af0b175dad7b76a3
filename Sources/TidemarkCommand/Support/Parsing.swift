public import ArgumentParser
public import Tidemark
import TidemarkJSON

extension Dot: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension ReplicaID: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension SchemaVersion: ExpressibleByArgument {
  /// 16 hexadecimal digits.
  public init?(argument: String) {
    guard argument.utf8.count == 16, let value = UInt64(argument, radix: 16) else { return nil }
    self.init(value)
  }
}

extension Principal.Provider: ExpressibleByArgument {}
extension ModeStrategy: ExpressibleByArgument {}
extension StoreRole: ExpressibleByArgument {}
extension Durability: ExpressibleByArgument {}
extension AcceptanceMode: ExpressibleByArgument {}

extension Moment: ExpressibleByArgument {
  /// A time in RFC 3339, one dot, or a version vector of several.
  public init?(argument: String) {
    if let dot = Dot(argument) {
      self = .event(dot)
    } else if let milliseconds = Timestamp.milliseconds(argument) {
      self = .time(milliseconds: milliseconds)
    } else if let vector = VersionVector(argument), argument.contains(",") || argument == "-" {
      self = .vector(vector)
    } else {
      return nil
    }
  }
}

/// Who asks: `anonymous`, `user:SUB`, `user:SUB,group=G,…`, or an actor's JSON object.
struct PrincipalArgument: ExpressibleByArgument {
  let principal: Principal

  init?(argument: String) {
    if argument == "anonymous" {
      principal = .anonymous
    } else if argument.hasPrefix("user:") {
      var parts = argument.dropFirst(5).split(separator: ",").map(String.init)
      guard !parts.isEmpty else { return nil }
      let subject = parts.removeFirst()
      guard parts.allSatisfy({ $0.hasPrefix("group=") }) else { return nil }
      principal = .user(subject, groups: parts.map { String($0.dropFirst(6)) })
    } else if let value = try? JSONReader.read(argument),
      let actor = try? Principal(actor: value)
    {
      principal = actor
    } else {
      return nil
    }
  }

  /// For commands that show the whole store where nobody is named.
  static let readerHelp: ArgumentHelp =
    "Only what this principal may read: anonymous, user:SUB, user:SUB,group=NAME, or an actor's JSON."

  static let help: ArgumentHelp =
    "Who asks: anonymous, user:SUB, user:SUB,group=NAME, or an actor's JSON object."
}

extension Principal {
  /// For people.
  var name: String {
    let name = username ?? subject ?? "anonymous"
    return groups.isEmpty ? name : "\(name) (\(groups.joined(separator: ", ")))"
  }
}

extension Stamp {
  /// `{"ms","n"}` under a key.
  func appendJSON(_ key: String, to builder: inout JSONBuilder) {
    builder.beginObject(key)
    builder.append("ms", milliseconds)
    builder.append("n", Int(counter))
    builder.endObject()
  }

  /// For people; past the year 9999 as milliseconds.
  var time: String {
    milliseconds <= Timestamp.millisecondsMax
      ? Timestamp.text(milliseconds) : "\(milliseconds) ms"
  }
}

extension Value {
  /// For people: strings as they are, everything else as JSON.
  var text: String {
    if case .string(let string) = self { return string }
    return JSONWriter.text(self)
  }
}
