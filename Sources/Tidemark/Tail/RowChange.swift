internal import TidemarkMerge

/// What an event does to its record's row.
enum RowChange {
  /// It begins the record's line, or goes on in it.
  case append
  /// It takes the place of the line's last event, of which it leaves nothing.
  case replaceLast
  /// The record's state with the event in it.
  case state(RecordState)
}

extension TailRows {
  /// Changes a row by an event.
  /// - Parameter position: where the log holds the event.
  mutating func apply(_ change: RowChange, _ place: Int, _ position: Position, isDelete: Bool) {
    switch change {
    case .append: append(place, position, isDelete: isDelete)
    case .replaceLast: replaceLast(place, position)
    case .state(let state):
      var row = RecordRow()
      row.head = position.lsn
      row.state = state
      set(place, row)
    }
  }
}
