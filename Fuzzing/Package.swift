// swift-tools-version: 6.2
import PackageDescription

/// libFuzzer on what reads bytes from elsewhere. A package of its own, so that nothing else is built with
/// the fuzzer's instrumentation: see README.md.
let package = Package(
  name: "tidemark-fuzzing",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "tidemark", path: "..", traits: [])],
  targets: ["Transaction", "Schema", "Operation", "Merge"].map { name in
    .executableTarget(
      name: "Fuzz\(name)",
      dependencies: [.product(name: "TidemarkTesting", package: "tidemark")],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])])
  }
)
