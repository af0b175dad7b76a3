internal import Tidemark

/// How a simulation is run.
public struct SimulationOptions: Sendable {
  /// Steps before the faults end.
  public var stepCount = 500
  /// The faults that a run may draw.
  public var faults = Set(SimulationFault.allCases)
  /// Real LMDB in this directory, best one in memory such as `/dev/shm`; else the model store.
  public var directory: String?

  public init() {}
}

/// What one run draws: which faults there are and how often, and how small everything is.
struct SimulationPlan {
  var deviceCount = 2
  /// Weights of the actions, by their places.
  var weights = [Int](repeating: 0, count: SimulatedAction.allCases.count)
  var faults: Set<SimulationFault> = []
  var tuning = StoreTuning()

  init() {}

  init(_ choices: inout Choices, _ options: SimulationOptions) {
    deviceCount = 2 + choices.below(4)
    for fault in SimulationFault.allCases {
      let isOn = choices.happens(perThousand: 500)
      let intensity = 1 << choices.below(4)
      guard isOn, options.faults.contains(fault) else { continue }
      faults.insert(fault)
      for action in SimulatedAction.allCases where action.fault == fault {
        weights[action.place] = action.weight * intensity
      }
    }
    for action in SimulatedAction.allCases where action.fault == nil {
      weights[action.place] = action.weight * (1 + choices.below(4)) * 4
    }
    // Everything is full sooner than in life.
    tuning.journalByteCount = 4160 + (1 << (9 + choices.below(6)))
    tuning.journalByteCountMax = 4 * tuning.journalByteCount
    tuning.segmentRowCount = 2 << choices.below(8)
    tuning.runRowCount = 2 << choices.below(6)
    tuning.treeRowCount = 4 << choices.below(8)
    tuning.mergeStepRowCount = 4 << choices.below(6)
    tuning.pageByteCount = 256 << choices.below(12)
  }
}

/// What can happen in a step.
enum SimulatedAction: Int, CaseIterable {
  case write, writeAtAuthority, push, pull, deliver, sync, deviceToDevice, acknowledge, background
  case time, reopen
  case lose, duplicate, partition, crash, crashInCall, powerCut, diskError, fillDisk
  case stepClock, driftClock, copy, backup, restore, attack, switchUser, adopt

  var place: Int { rawValue }

  /// The fault that it is; `nil` for what is no fault.
  var fault: SimulationFault? {
    switch self {
    case .write, .writeAtAuthority, .push, .pull, .deliver, .sync, .deviceToDevice, .acknowledge,
      .background, .time, .reopen:
      nil
    case .lose: .loss
    case .duplicate: .duplication
    case .partition: .partition
    case .crash, .crashInCall: .crash
    case .powerCut: .powerCut
    case .diskError: .diskError
    case .fillDisk: .diskFull
    case .stepClock: .clockStep
    case .driftClock: .clockDrift
    case .copy: .copy
    case .backup, .restore: .restore
    case .attack: .hostility
    case .switchUser: .userSwitch
    case .adopt: .schemaChange
    }
  }

  /// How often, beside the others.
  var weight: Int {
    switch self {
    case .write: 60
    case .writeAtAuthority: 8
    case .push, .pull: 14
    case .deliver: 60
    case .sync: 6
    case .deviceToDevice: 3
    case .acknowledge: 3
    case .background: 6
    case .time: 12
    case .reopen: 1
    case .lose, .duplicate, .attack: 8
    case .partition, .switchUser, .diskError: 5
    case .crash, .crashInCall, .powerCut, .stepClock, .backup: 3
    case .fillDisk, .driftClock, .adopt: 2
    case .copy, .restore: 1
    }
  }
}
