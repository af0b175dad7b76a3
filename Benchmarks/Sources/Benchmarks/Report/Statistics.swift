/// Medians and percentiles.
enum Statistics {
  static func median(_ values: [Double]) -> Double { percentile(values, 0.5) }

  /// Between the two nearest values; zero of none.
  static func percentile(_ values: [Double], _ fraction: Double) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let place = fraction * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
  }
}
