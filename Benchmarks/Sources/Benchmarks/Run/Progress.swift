import Foundation

/// What is going on, on the standard error output, so that the table can be piped.
enum Progress {
  static func say(_ text: String) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }
}
