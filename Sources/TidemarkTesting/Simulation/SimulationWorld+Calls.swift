internal import Tidemark
internal import TidemarkEvents
internal import TidemarkLMDB

// Calls on stores, and what becomes of a process that dies in one.

/// What became of a call.
enum Called<R> {
  case done(R)
  /// The rules, or the store, said no, as they may.
  case refused(any Error)
  /// The disk said no: nothing has happened.
  case failed(StoreError)
  /// Nobody knows: the process was started anew to look.
  case unknown
  case died
  /// The process is dead.
  case down
}

extension SimulationWorld {
  /// Calls after which a store may go on under a new id.
  private static let moving: Set<String> = ["sync", "merge", "reissue", "heal"]

  /// Calls stores, all of which are up.
  func call<R>(
    _ called: [SimulatedNode], _ what: String, refusals: Set<StoreError.Code> = [],
    _ body: ([Store]) throws -> R
  ) throws -> Called<R> {
    let stores = called.compactMap(\.store)
    guard stores.count == called.count else { return .down }
    if Self.moving.contains(what) { for node in called { node.mayHaveMoved = true } }
    let incarnations = called.map(\.disk.incarnation)
    for node in called { node.fault.hasStruck = false }
    let result = Result { try body(stores) }
    noteFaults(called)
    var hasDied = false
    for (node, incarnation) in zip(called, incarnations)
    where node.disk.incarnation != incarnation {
      hasDied = true
      see(.crashInCall)
      tell("\(node.name) dies in \(what)")
      die(node)
    }
    if hasDied { return .died }
    switch result {
    case .success(let value):
      for node in called { node.isFresh = false }
      return .done(value)
    case .failure(let error):
      guard let error = error as? StoreError else { return .refused(error) }
      if refusals.contains(error.code) { return .refused(error) }
      let isDisks = [.ioFailure, .diskFull, .unknownOutcome].contains(error.code)
      guard isDisks, let struck = called.first(where: { $0.fault.hasStruckSinceOpen }) else {
        throw fail(
          .unexpectedError,
          "\(what) at \(called.map(\.name).joined(separator: " and ")): \(error.code.rawValue), \(error.message)"
        )
      }
      trace.note(error.code.rawValue)
      tell("\(what) fails at \(struck.name): \(error.code.rawValue)")
      guard error.code == .unknownOutcome else { return .failed(error) }
      for node in called where node.fault.hasStruckSinceOpen || node === struck {
        node.disk.crash()
        die(node)
        try start(node)
      }
      return .unknown
    }
  }

  func call<R>(
    _ node: SimulatedNode, _ what: String, refusals: Set<StoreError.Code> = [],
    _ body: (Store) throws -> R
  ) throws -> Called<R> {
    try call([node], what, refusals: refusals) { try body($0[0]) }
  }

  private func noteFaults(_ called: [SimulatedNode]) {
    for node in called where node.fault.hasStruck {
      see(node.fault.isDiskFull ? .diskFull : .diskError)
      if let happened = node.fault.unknownHappened {
        see(happened ? .unknownHappened : .unknownDidNotHappen)
        node.fault.unknownHappened = nil
      }
    }
  }

  /// The process of a node is dead: its store is let go without a farewell.
  func die(_ node: SimulatedNode) {
    guard node.store != nil else { return }
    if node.isFresh { see(.doubleCrash) }
    node.store?.abandon()
    node.store = nil
    node.fault.callsLeft = 0
  }

  /// Opens a dead node's store, and compares what it holds with what it must.
  func start(_ node: SimulatedNode, readsWhole: Bool = false) throws {
    guard node.store == nil else { return }
    let incarnation = node.disk.incarnation
    node.fault.hasStruck = false
    node.fault.hasStruckSinceOpen = false
    do {
      node.store = try Store.open(at: node.disk.directory, options: storeOptions(node))
    } catch {
      if node.disk.incarnation != incarnation {
        see(.doubleCrash)
        return
      }
      if node.fault.hasStruck {
        node.disk.crash()
        return
      }
      throw fail(
        .durability, "\(node.name) does not open after a crash: \(error.code.rawValue), \(error)")
    }
    see(.recovery)
    tell("\(node.name) is up")
    node.isFresh = true
    try reload(node, .reopened, isWhole: readsWhole)
  }

  /// Every call of a node's disk asks whether something goes wrong with it.
  func watch(_ node: SimulatedNode) {
    node.disk.memory?.faults = { [unowned node] call in node.fault.strike(call) }
  }
}

extension ArmedFault {
  mutating func strike(_ call: MemoryDisk.Call) -> MemoryDisk.Fault? {
    if isFull, call.needsRoom {
      note()
      return .fail(.diskFull)
    }
    guard callsLeft > 0 else { return nil }
    callsLeft -= 1
    guard callsLeft == 0 else { return nil }
    switch kind {
    case .crashBefore: return .crashBefore
    case .crashHalfway: return .crashHalfway
    case .crashAfter: return .crashAfter
    default: break
    }
    note()
    let code: LMDBError.Code = isDiskFull ? .diskFull : .ioFailure
    guard call == .commit, kind == .unknownDone || kind == .unknownLost else {
      return kind == .failHalfway ? .failHalfway(code) : .fail(code)
    }
    unknownHappened = kind == .unknownDone
    return .unknown(happened: kind == .unknownDone)
  }

  private mutating func note() {
    hasStruck = true
    hasStruckSinceOpen = true
  }
}

extension MemoryDisk.Call {
  /// A file that does not grow takes what is written into it on a full disk, too.
  fileprivate var needsRoom: Bool {
    switch self {
    case .commit, .resize: true
    case .write, .sync: false
    }
  }
}
