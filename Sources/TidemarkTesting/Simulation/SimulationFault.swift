/// What can go wrong in a simulated world. Each run draws which of these do, and how often.
public enum SimulationFault: String, CaseIterable, Sendable {
  /// A message is lost; the response to one that was acted on, too.
  case loss
  case duplication
  /// Messages overtake each other by any number of steps.
  case reordering
  /// Nothing reaches a device, or nothing leaves it, or both.
  case partition
  /// A process dies, between two calls or at any call of the disk.
  case crash
  /// The power fails: of what was not synced any sectors stay.
  case powerCut
  /// A call of the disk fails, before or halfway, or says nothing of what became of it.
  case diskError
  case diskFull
  /// A wall clock jumps, to the future or the past.
  case clockStep
  /// A wall clock runs faster or slower than time.
  case clockDrift
  /// A store is copied, and both go on; sometimes so that the copy cannot tell.
  case copy
  /// An older state of a store is brought back.
  case restore
  /// Somebody sends what no store of ours would.
  case hostility
  /// Another user signs in on a device.
  case userSwitch
  /// A store takes the application's next schema and its rules; others later.
  case schemaChange
}

/// What must hold in a simulated world; the numbers are those of `Documentation/Simulation.md`.
public enum Invariant: String, CaseIterable, Sendable {
  case durability = "I1"
  case atomicity = "I2"
  case appendOnly = "I3"
  case gapless = "I4"
  case chain = "I5"
  case noFork = "I6"
  case acceptance = "I7"
  case totality = "I8"
  case voidHasNoEffect = "I9"
  case convergence = "I10"
  case viewIsFold = "I11"
  case causality = "I12"
  case vector = "I13"
  case cursor = "I14"
  case idempotence = "I15"
  case clock = "I16"
  case isolation = "I17"
  case nothingVanishes = "I18"
  case refusalChangesNothing = "I19"
  case honestAnswers = "I20"
  /// Everybody agrees a bounded number of steps after the faults have ended.
  case liveness
  /// A call failed that had no reason to.
  case unexpectedError
  /// An application's own check.
  case application
}

/// What a campaign must have seen at least once: a simulator in which these never happen proves nothing.
public enum Sight: String, CaseIterable, Sendable {
  case write, refusedWrite, takenPage, pageOfSeveral
  case rejection, acceptance, clamp, conflict
  case earlyRefused, forkRefused, forkHealed, copyNoticed
  case messageLost, messageDuplicated, messageOvertaken, messageToNobody, responseLost
  case crash, crashInCall, doubleCrash, powerCut, tailLost, recovery
  case diskError, diskFull, unknownHappened, unknownDidNotHappen
  case copied, restored, clockStepped, partition, userSwitched
  case hostileRefused, hostileRejected, hostileAccepted
  case lateWriteRevoked, deviceToDevice, acknowledged, drainedLater
  case policyChanged, schemaTaken, decidedByOtherRules, newerThanAuthority
  case heldForAnother, heldExpired, issuedAgain, issuedAgainSeeing
}
