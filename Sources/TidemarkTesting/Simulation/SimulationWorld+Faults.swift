internal import Tidemark
internal import TidemarkEvents
internal import TidemarkLMDB

extension SimulationWorld {
  func performFault(_ action: SimulatedAction) throws {
    switch action {
    case .lose: lose()
    case .duplicate: duplicate()
    case .partition: partition(device())
    case .crash: crash(anybody())
    case .crashInCall: armCrash(anybody())
    case .powerCut: cutPower(anybody())
    case .diskError: armError(anybody())
    case .fillDisk: fillDisk(anybody())
    case .stepClock: stepClock(anybody())
    case .driftClock: anybody().rate = choices.below(3000)
    case .copy: try copy(device())
    case .backup: try backUp(device())
    case .restore: try restore(device())
    case .attack: try attack()
    case .adopt: try adopt(anybody())
    case .switchUser:
      device().user = choices.below(scenario.users.count)
      see(.userSwitched)
    default: break
    }
  }

  private func partition(_ node: SimulatedNode) {
    see(.partition)
    switch choices.below(5) {
    case 0: node.isDeaf = true
    case 1: node.isMute = true
    case 2: (node.isDeaf, node.isMute) = (true, true)
    default: (node.isDeaf, node.isMute) = (false, false)
    }
  }

  private func crash(_ node: SimulatedNode) {
    guard node.store != nil else { return }
    see(.crash)
    tell("\(node.name) dies")
    node.disk.crash()
    die(node)
  }

  private func armCrash(_ node: SimulatedNode) {
    guard node.disk.memory != nil else { return }
    node.fault.callsLeft = 1 + choices.below(6)
    node.fault.kind = [.crashBefore, .crashHalfway, .crashAfter][choices.below(3)]
  }

  private func armError(_ node: SimulatedNode) {
    guard node.disk.memory != nil else { return }
    node.fault.callsLeft = 1 + choices.below(6)
    node.fault.kind = [.fail, .failHalfway, .unknownDone, .unknownLost][choices.below(4)]
    node.fault.isDiskFull = choices.below(2) == 1
  }

  private func fillDisk(_ node: SimulatedNode) {
    guard node.disk.memory != nil else { return }
    node.fault.isFull.toggle()
    node.fault.isDiskFull = node.fault.isFull
  }

  private func cutPower(_ node: SimulatedNode) {
    guard node.store != nil, let disk = node.disk.memory else { return }
    see(.powerCut)
    tell("\(node.name) loses its power")
    // What a power cut takes is acknowledged only in `relaxed`.
    node.isCutShort = node.durability == .relaxed
    let odds = choices.below(1001)
    disk.cutPower { choices.happens(perThousand: odds) }
    die(node)
  }

  private func stepClock(_ node: SimulatedNode) {
    see(.clockStepped)
    tell("\(node.name)'s clock jumps")
    node.isClockMoved = true
    let now = Int64(now)
    let step = Int64(1 << choices.below(34)) * (choices.below(2) == 0 ? 1 : -1)
    node.clock.milliseconds = UInt64(max(now + step, 1))
  }

  // MARK: Copies

  private func backUp(_ node: SimulatedNode) throws {
    // What the model knows and what is on the disk are of one moment.
    guard try refresh(node) else { return }
    tell("\(node.name) is backed up")
    node.image = (
      node.disk.image(), node.log, node.acknowledged, node.schema,
      try node.store?.identity.replica
    )
  }

  private func restore(_ node: SimulatedNode) throws {
    guard let image = node.image else { return }
    see(.restored)
    tell("\(node.name)'s backup is brought back")
    if node.store != nil {
      node.disk.crash()
      die(node)
    }
    let isSame = choices.below(2) == 0
    node.disk = node.disk.restore(image.disk, isSame: isSame)
    // A file system may give a new file the inode of the one that was there.
    node.original = isSame || node.disk.memory == nil ? nil : image.replica
    watch(node)
    node.log = image.log
    // What was written since is gone with the disk, unless somebody else has it.
    mayVanish.formUnion(Set(node.acknowledged).subtracting(image.acknowledged))
    node.acknowledged = image.acknowledged
    node.schema = image.schema
    node.checkedPlaces = 0
    node.fault = ArmedFault()
    node.isCutShort = false
    try start(node)
  }

  private func copy(_ node: SimulatedNode) throws {
    guard nodes.count < 8, try refresh(node) else { return }
    see(.copied)
    tell("\(node.name) is copied to \(SimulatedNode.name(nodes.count))")
    let clock = ManualClock(milliseconds: node.clock.milliseconds)
    let isSame = choices.below(2) == 0
    let twin = SimulatedNode(
      nodes.count, .device, node.acceptance, node.durability,
      node.disk.copy(to: copyPath(), isSame: isSame), clock,
      user: choices.below(scenario.users.count))
    twin.log = node.log
    twin.schema = node.schema
    twin.isAdopting = node.isAdopting
    twin.attempted = node.attempted
    if !isSame, twin.disk.memory != nil { twin.original = try node.store?.identity.replica }
    nodes.append(twin)
    watch(twin)
    try start(twin)
  }
}
