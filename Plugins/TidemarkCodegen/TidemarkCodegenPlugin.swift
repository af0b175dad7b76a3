import Foundation
import PackagePlugin

/// Makes Swift types of every `.graphql` file of a target, when it is built.
@main
struct TidemarkCodegenPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let target = target.sourceModule else { return [] }
    let tool = try context.tool(named: "tidemark-codegen").url
    return target.sourceFiles.map(\.url).filter { $0.pathExtension == "graphql" }.map { schema in
      let name = schema.deletingPathExtension().lastPathComponent
      let output = context.pluginWorkDirectoryURL.appending(path: "\(name).swift")
      return .buildCommand(
        displayName: "Making Swift types of \(schema.lastPathComponent)", executable: tool,
        arguments: [schema.path(percentEncoded: false), output.path(percentEncoded: false)],
        inputFiles: [schema], outputFiles: [output])
    }
  }
}
