internal import Tidemark
internal import TidemarkEvents

/// A store in the simulated world, with the disk that it lies on, its clock, and what the naive model
/// says it holds.
final class SimulatedNode {
  let place: Int
  let role: StoreRole
  let acceptance: AcceptanceMode
  let durability: Durability
  var disk: SimulatedDisk
  /// `nil` while its process is dead.
  var store: Store?
  var log = NaiveLog()
  let clock: ManualClock
  /// How fast the clock runs, in thousandths of time.
  var rate = 1000
  var user: Int
  /// Which of the scenario's schemas it has.
  var schema = 0
  /// A call that gives it the next one is under way, or was cut off.
  var isAdopting = false
  /// Labels of what was acknowledged to the user, in the order of the writes.
  var acknowledged: [String] = []
  /// Labels of all that it, or what it is a copy of, set out to write.
  var attempted: Set<String> = []
  /// Of the others' logs: how many of their places were checked against the cursor.
  var checkedPlaces = 0
  /// What names its log to others.
  var knownLogID: UInt64?
  /// Messages that cannot come in, or go out.
  var isDeaf = false
  var isMute = false
  /// The call at which the disk's next fault strikes, counted down, and what it does.
  var fault = ArmedFault()
  var image:
    (
      disk: SimulatedDisk.Image, log: NaiveLog, acknowledged: [String], schema: Int,
      replica: ReplicaID?
    )?
  /// Its clock has jumped since its log was read, so that nobody knows what it said at a decision.
  var isClockMoved = false
  /// It is on another disk than it was, and has not written since: the id that the original goes on
  /// under.
  var original: ReplicaID?
  /// A call that may have given it a new id was cut off.
  var mayHaveMoved = false
  /// A power cut may have taken its last writes.
  var isCutShort = false
  /// Crashed again before it did anything after the last one.
  var isFresh = false

  init(
    _ place: Int, _ role: StoreRole, _ acceptance: AcceptanceMode, _ durability: Durability,
    _ disk: SimulatedDisk, _ clock: ManualClock, user: Int
  ) {
    self.place = place
    self.role = role
    self.acceptance = acceptance
    self.durability = durability
    self.disk = disk
    self.clock = clock
    self.user = user
  }

  /// `A` for the authority, then `b`, `c`, ….
  var name: String { SimulatedNode.name(place) }

  static func name(_ place: Int) -> String {
    place == 0 ? "A" : String(UnicodeScalar(UInt8(truncatingIfNeeded: 97 + place)))
  }
}

/// A fault of the disk that waits for its call.
struct ArmedFault {
  enum Kind: Int, CaseIterable {
    case crashBefore, crashHalfway, crashAfter, fail, failHalfway, unknownDone, unknownLost
  }

  /// 0 where none waits.
  var callsLeft = 0
  var kind = Kind.fail
  var isDiskFull = false
  /// Every call of a full disk that needs room fails, until somebody makes some.
  var isFull = false
  var hasStruckSinceOpen = false
  /// One has struck since the last call on the store began.
  var hasStruck = false
  var unknownHappened: Bool?
}
