public import ArgumentParser
import Tidemark
public import TidemarkCodegen
import TidemarkJSON

struct CodegenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "codegen", abstract: "Make Swift types from a schema.",
    discussion: """
      A struct for each type with @model, to be used with a store's session; enums and embedded \
      types; typed fields. The same schema always gives the same text.
      """)

  @Argument(help: "The GraphQL schema file.")
  var schema: String

  @Option(help: "The Swift file to write; standard output where left out.")
  var output: String?

  @Option(help: "Who sees the types: public or internal.")
  var access: SwiftGenerator.Access = .internal

  @OptionGroup var common: CommonOptions

  func run() throws {
    let parsed = try SchemaFile.schema(schema)
    let source = try SchemaFile.explaining(schema) { () throws(SchemaError) in
      try SwiftGenerator.source(for: parsed, access: access)
    }
    let bytes = Array(source.utf8)
    if let output { try FileWriter.write(bytes, to: output) }
    if common.json {
      var builder = JSONLine()
      builder.beginObject()
      builder.append("schema", schema)
      if let output {
        builder.append("output", output)
      } else {
        builder.append("swift", source)
      }
      builder.append("models", parsed.models.count)
      builder.endObject()
      return try Output.line(builder.bytes)
    }
    if let output {
      let models = parsed.models.map(\.name).joined(separator: ", ")
      Output.text("\(output): \(Text.green("written")), with \(models)")
    } else {
      // It ends with its last line.
      try Output.line(Array(bytes.dropLast()))
    }
  }
}

extension SwiftGenerator.Access: ExpressibleByArgument {}
