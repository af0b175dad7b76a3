// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target checks memory safety strictly and spells out existentials, imports and
/// lifetimes. A warning is an error.
let settings: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "tidemark",
  platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
  products: [
    .library(name: "Tidemark", targets: ["Tidemark"]),
    .library(name: "TidemarkSync", targets: ["TidemarkSync"]),
    .library(name: "TidemarkTesting", targets: ["TidemarkTesting"]),
    .executable(name: "tidemark", targets: ["TidemarkCommand"]),
    .plugin(name: "TidemarkCodegenPlugin", targets: ["TidemarkCodegenPlugin"]),
  ],
  traits: [
    .trait(name: "Command", description: "The tidemark command, with its argument parser."),
    .default(enabledTraits: ["Command"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
  ],
  targets: [
    // The doorway to LMDB: all code reaches it through TidemarkLMDB, so a vendored copy would
    // change one target.
    .systemLibrary(
      name: "CLMDB", pkgConfig: "lmdb",
      providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
    .target(name: "CProcessor"),
    .target(name: "TidemarkLMDB", dependencies: ["CLMDB"], swiftSettings: settings),

    // The pure layers, each knowing only those before it.
    .target(
      name: "TidemarkEvents",
      dependencies: ["CProcessor", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: settings),
    .target(name: "TidemarkJSON", dependencies: ["TidemarkEvents"], swiftSettings: settings),
    .target(
      name: "TidemarkSchema", dependencies: ["TidemarkEvents", "TidemarkJSON"],
      swiftSettings: settings),
    .target(
      name: "TidemarkMerge", dependencies: ["TidemarkEvents", "TidemarkSchema"],
      swiftSettings: settings),
    .target(
      name: "TidemarkAuthorization", dependencies: ["TidemarkEvents", "TidemarkSchema"],
      swiftSettings: settings),

    // The shell: what touches a disk, a clock or another store.
    .target(
      name: "Tidemark",
      dependencies: [
        "CProcessor", "TidemarkLMDB", "TidemarkEvents", "TidemarkJSON", "TidemarkSchema",
        "TidemarkMerge", "TidemarkAuthorization",
      ],
      swiftSettings: settings),
    .target(name: "TidemarkSync", dependencies: ["Tidemark"], swiftSettings: settings),
    .target(
      name: "TidemarkTesting",
      dependencies: ["Tidemark", "TidemarkSync", "TidemarkLMDB", "TidemarkMerge"],
      swiftSettings: settings),
    // Swift from a schema: what `tidemark codegen` writes.
    .target(
      name: "TidemarkCodegen", dependencies: ["TidemarkEvents", "TidemarkSchema"],
      swiftSettings: settings),
    // The same while an app is built, by a tool without an argument parser.
    .executableTarget(
      name: "tidemark-codegen", dependencies: ["TidemarkCodegen", "TidemarkSchema"],
      path: "Sources/TidemarkCodegenTool", swiftSettings: settings),
    .plugin(
      name: "TidemarkCodegenPlugin", capability: .buildTool(), dependencies: ["tidemark-codegen"],
      path: "Plugins/TidemarkCodegen"),
    .executableTarget(
      name: "TidemarkCommand",
      dependencies: [
        "Tidemark", "TidemarkSync", "TidemarkCodegen", "TidemarkJSON", "TidemarkLMDB",
        "TidemarkTesting",
        .product(
          name: "ArgumentParser", package: "swift-argument-parser",
          condition: .when(traits: ["Command"])),
      ],
      swiftSettings: settings),

    .testTarget(name: "TidemarkLMDBTests", dependencies: ["TidemarkLMDB"], swiftSettings: settings),
    .testTarget(
      name: "TidemarkEventsTests", dependencies: ["TidemarkEvents", "TidemarkTesting"],
      swiftSettings: settings),
    .testTarget(
      name: "TidemarkJSONTests", dependencies: ["TidemarkJSON", "TidemarkTesting"],
      swiftSettings: settings),
    .testTarget(
      name: "TidemarkSchemaTests", dependencies: ["TidemarkSchema", "TidemarkTesting"],
      swiftSettings: settings),
    .testTarget(
      name: "TidemarkMergeTests", dependencies: ["TidemarkMerge", "TidemarkTesting"],
      swiftSettings: settings),
    .testTarget(
      name: "TidemarkAuthorizationTests", dependencies: ["TidemarkAuthorization"],
      swiftSettings: settings),
    .testTarget(
      name: "TidemarkTests", dependencies: ["Tidemark", "TidemarkTesting"],
      swiftSettings: settings),
    .testTarget(
      name: "TidemarkCodegenTests",
      dependencies: ["TidemarkCodegen", "Tidemark", "TidemarkTesting"],
      exclude: ["Schemas"],
      swiftSettings: settings),
    .testTarget(
      name: "TidemarkCodegenPluginTests", dependencies: ["Tidemark"], swiftSettings: settings,
      plugins: ["TidemarkCodegenPlugin"]),
    .testTarget(
      name: "TidemarkSimulationTests",
      dependencies: ["TidemarkSync", "TidemarkTesting", "TidemarkLMDB"],
      exclude: ["Fixtures"],
      swiftSettings: settings),
    .testTarget(
      name: "TidemarkSyncTests",
      dependencies: ["TidemarkSync", "TidemarkTesting", "TidemarkLMDB"],
      swiftSettings: settings),
  ]
)
