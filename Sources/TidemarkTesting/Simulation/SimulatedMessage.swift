internal import Tidemark

/// What one store says to another.
struct SimulatedMessage {
  enum Content {
    /// A device asks an authority what it knows, to push.
    case hello(logID: UInt64, isContinued: Bool)
    /// The answer: what to give it, and from where.
    case knowledge(PeerKnowledge, LogCursor?, isContinued: Bool)
    /// A device asks for what it lacks.
    case request(PeerKnowledge, LogCursor?, isContinued: Bool)
    /// A part of a log.
    case page(LogPage, logID: UInt64)
    /// What became of it.
    case outcome(PageOutcome, isLast: Bool)
  }

  /// In a word.
  var kind: String {
    switch content {
    case .hello: "hello"
    case .knowledge: "knowledge"
    case .request: "request"
    case .page: "page"
    case .outcome: "outcome"
    }
  }

  let from: Int
  let to: Int
  let content: Content
  let number: Int
}
