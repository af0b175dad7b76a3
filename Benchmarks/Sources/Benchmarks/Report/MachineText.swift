/// What the figures were measured on, for people.
enum MachineText {
  static func text(_ machine: Machine, _ options: Options) -> String {
    let memory = NumberText.decimal(Double(machine.memoryBytes) / 1_073_741_824, 1)
    let growing = NumberText.microseconds(machine.sync.growingMicroseconds)
    let preallocated = NumberText.microseconds(machine.sync.preallocatedMicroseconds)
    let scale = options.scale
    let load = NumberText.decimal(machine.loadAverage, 2)
    let readAhead = machine.fileSystem.readAheadKilobytes.map { "; reads \($0) KiB ahead" } ?? ""
    let quick = options.isQuick ? ", quick: a tenth of the operations, for orientation only" : ""
    let warning =
      machine.loadAverage > 0.7
      ? ": other work is going on, and what waits for the disk waits for it too" : ""
    return """
      Machine      \(machine.processor), \(machine.coreCount) cores, \(memory) GiB
      Kernel       \(machine.kernel)
      Load         \(load)\(warning)
      File system  \(machine.fileSystem.type), \(machine.fileSystem.options)\(readAhead)
      fdatasync    \(growing) µs for 4 KiB at the end of a growing file, \
      \(preallocated) µs in a preallocated one
      Libraries    \(machine.libraries.joined(separator: "; "))
      Workload     seed \(Workload.seed); \(NumberText.grouped(scale.batched)) operations in batches, \
      10 creates to 5 updates to 1 delete
      Rounds       \(options.rounds)\(quick)

      """
  }
}
