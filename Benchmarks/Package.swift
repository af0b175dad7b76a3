// swift-tools-version: 6.2
import PackageDescription

/// Tidemark beside its peers. A package of its own, so that building the library compiles no peer.
let package = Package(
  name: "tidemark-benchmarks",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "tidemark-benchmarks", targets: ["Benchmarks"])],
  dependencies: [
    .package(name: "tidemark", path: "..", traits: []),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CPeersLMDB", pkgConfig: "lmdb",
      providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
    // The peers in C, optimised as their users build them.
    .target(
      name: "CPeers", dependencies: ["CPeersLMDB"],
      linkerSettings: [.linkedLibrary("sqlite3")]),
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "CPeers", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Tidemark", package: "tidemark"),
        .product(name: "TidemarkSync", package: "tidemark"),
      ]),
  ]
)
