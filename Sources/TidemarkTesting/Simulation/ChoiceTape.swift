/// Every choice that a simulated run made, in blocks: one for how the world is made, and one for each
/// step.
///
/// A tape replays its run exactly, and so does one with blocks taken out or numbers made smaller,
/// for what is then another run: that is how a failing one is made short.
public struct ChoiceTape: Hashable, Sendable {
  public internal(set) var blocks: [[UInt32]]

  public init(blocks: [[UInt32]] = []) { self.blocks = blocks }

  /// How many steps it makes.
  public var stepCount: Int { max(blocks.count - 1, 0) }
}

extension ChoiceTape: LosslessStringConvertible {
  /// A line for each block, its numbers with spaces between: what a fixture holds.
  public var description: String {
    blocks.map { $0.map(String.init).joined(separator: " ") }.joined(separator: "\n")
  }

  /// Reads what `description` writes; `nil` for anything else. Lines that begin with `#` say something
  /// to people.
  public init?(_ text: String) {
    var blocks: [[UInt32]] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false)
    where !line.hasPrefix("#") {
      var block: [UInt32] = []
      for word in line.split(separator: " ") {
        guard let number = UInt32(word) else { return nil }
        block.append(number)
      }
      blocks.append(block)
    }
    while blocks.last?.isEmpty ?? false { blocks.removeLast() }
    guard !blocks.isEmpty else { return nil }
    self.init(blocks: blocks)
  }
}

/// Where a simulated run's choices come from: a seed, or a tape of choices made before.
public struct Choices {
  private var generator: SeededGenerator
  private let replayed: ChoiceTape?
  /// Where the block stands in the tape, and the next choice in the block.
  private var block = -1
  private var place = 0
  private var made: [UInt32] = []
  private var starts: [Int] = []

  public init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
    replayed = nil
  }

  /// Past the end of a block every choice is the first.
  public init(replaying tape: ChoiceTape) {
    generator = SeededGenerator(seed: 0)
    replayed = tape
  }

  /// The choices so far.
  public var tape: ChoiceTape {
    var blocks: [[UInt32]] = []
    for (index, start) in starts.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1] : made.count
      blocks.append(Array(made[start..<end]))
    }
    return ChoiceTape(blocks: blocks)
  }

  /// Begins the next block; false where the tape has no more.
  mutating func beginBlock() -> Bool {
    block += 1
    place = 0
    if let replayed, block >= replayed.blocks.count { return false }
    starts.append(made.count)
    return true
  }

  /// One of so many: 0 and up.
  public mutating func below(_ count: Int) -> Int {
    precondition(count > 0)
    var value: Int
    if let replayed {
      let numbers = block < replayed.blocks.count ? replayed.blocks[block] : []
      value = place < numbers.count ? Int(numbers[place]) % count : 0
      place += 1
    } else {
      value = Int(truncatingIfNeeded: generator.next() % UInt64(count))
    }
    made.append(UInt32(truncatingIfNeeded: value))
    return value
  }

  /// True so many times in a thousand; a tape of zeros says false.
  public mutating func happens(perThousand: Int) -> Bool { below(1000) >= 1000 - perThousand }

  /// An element; `nil` of none.
  public mutating func pick<C: RandomAccessCollection>(_ elements: C) -> C.Element?
  where C.Index == Int {
    guard !elements.isEmpty else { return nil }
    return elements[elements.startIndex + below(elements.count)]
  }

  /// A place, by weights of which at least one is not 0.
  mutating func place(by weights: [Int]) -> Int {
    var rest = below(weights.reduce(0, +))
    for (index, weight) in weights.enumerated() {
      if rest < weight { return index }
      rest -= weight
    }
    return 0
  }
}
