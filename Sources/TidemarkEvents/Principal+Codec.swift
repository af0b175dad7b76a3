// A principal's bytes: provider in the low four bits, then a flag for each part that follows.
//
//   0x10 subject: counted · 0x20 username: counted · 0x40 groups: count, counted each
//   0x80 claims: count, then counted name and value for each
//
// Several credentials: 0x0f, a count of at least two, then each.

extension Principal {
  public func encode(into writer: inout ByteWriter) {
    guard also.isEmpty else {
      writer.append(Principal.severalCode)
      writer.append(varint: also.count + 1)
      for credential in credentials { credential.encode(into: &writer) }
      return
    }
    var head = Principal.code(of: provider)
    if subject != nil { head |= 0x10 }
    if username != nil { head |= 0x20 }
    if !groups.isEmpty { head |= 0x40 }
    if !claims.isEmpty { head |= 0x80 }
    writer.append(head)
    if let subject { writer.append(counted: subject) }
    if let username { writer.append(counted: username) }
    if !groups.isEmpty {
      writer.append(varint: groups.count)
      for group in groups { writer.append(counted: group) }
    }
    if !claims.isEmpty {
      writer.append(varint: claims.count)
      for claim in claims {
        writer.append(counted: claim.name)
        claim.value.encode(into: &writer)
      }
    }
  }

  private static let severalCode: UInt8 = 0x0f

  public init(from reader: inout ByteReader) throws(CodecError) {
    let head = try reader.byte()
    guard head != Principal.severalCode else {
      let count = try reader.count("credentials", max: Principal.credentialCountMax)
      guard count >= 2 else { throw CodecError(.malformed, "credentials") }
      self = try Principal(oneFrom: &reader, head: try reader.byte())
      for _ in 1..<count { also.append(try Principal(oneFrom: &reader, head: try reader.byte())) }
      return
    }
    try self.init(oneFrom: &reader, head: head)
  }

  private init(oneFrom reader: inout ByteReader, head: UInt8) throws(CodecError) {
    let provider = try Principal.provider(code: head & 0x0f)
    let subject = head & 0x10 != 0 ? try reader.string() : nil
    let username = head & 0x20 != 0 ? try reader.string() : nil
    var groups: [String] = []
    if head & 0x40 != 0 {
      for _ in 0..<(try reader.count("groups", max: reader.remaining)) {
        groups.append(try reader.string())
      }
    }
    var claims: [Value.Member] = []
    if head & 0x80 != 0 {
      for _ in 0..<(try reader.count("claims", max: reader.remaining)) {
        let name = try reader.string()
        claims.append(Value.Member(name, try Value(from: &reader)))
      }
    }
    self.init(
      provider: provider, subject: subject, username: username, groups: groups, claims: claims)
  }

  private static func code(of provider: Provider) -> UInt8 {
    switch provider {
    case .apiKey: 0
    case .iam: 1
    case .userPools: 2
    case .oidc: 3
    case .function: 4
    }
  }

  private static func provider(code: UInt8) throws(CodecError) -> Provider {
    switch code {
    case 0: .apiKey
    case 1: .iam
    case 2: .userPools
    case 3: .oidc
    case 4: .function
    default: throw CodecError(.malformed, "provider")
    }
  }
}
