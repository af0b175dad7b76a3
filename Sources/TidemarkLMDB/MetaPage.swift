/// One of the two pages at the start of a data file, each naming one state of the store.
///
/// ```
/// word = the size of a pointer                  page header
///   0           page number      word
///   word        padding          2
///   word + 2    flags            2    0x08: a meta page
///   word + 4    bounds           4
///   word + 8    magic            4    0xBEEFC0DE
///               version          4    1
///               map address      word
///               map size         word
///               free table       8 + 5 words: page size 4, flags 2, depth 2, branch pages,
///               main table       8 + 5 words  leaf pages, overflow pages, entries, root
///               last page        word
///               transaction id   word
/// ```
/// Numbers are in the machine's order. Transaction n writes page n modulo 2.
struct MetaPage: Hashable, Sendable {
  /// What a tree's descriptor says.
  struct Tree: Hashable, Sendable {
    let flags: UInt16
    let depth: UInt16
    let root: UInt

    /// Bounds that hold in every whole store.
    func isPlausible(lastPage: UInt) -> Bool {
      root == MetaPage.noPage
        ? depth == 0 : root >= 2 && root <= lastPage && (1...32).contains(depth)
    }
  }

  static let magic: UInt32 = 0xBEEF_C0DE
  static let version: UInt32 = 1
  static let noPage = UInt.max
  static let word = MemoryLayout<UInt>.size
  /// The bytes before the content of any page.
  static let headerByteCount = word + 8
  /// The header and the content of a meta page, without the unused rest of the page.
  static let byteCount = headerByteCount + 8 + 2 * word + 2 * treeByteCount + 2 * word
  /// LMDB takes no page greater than this.
  static let pageByteCounts = 512...32_768
  private static let treeByteCount = 8 + 5 * word

  let isMeta: Bool
  let magic: UInt32
  let version: UInt32
  let mapByteCount: UInt
  let pageByteCount: Int
  let freeTable: Tree
  let mainTable: Tree
  let lastPage: UInt
  let transactionID: UInt

  /// Reads a meta page; nil where there are fewer than `byteCount` bytes.
  init?(_ page: [UInt8]) {
    let bytes = unsafe page.span.bytes  // Bytes have no padding.
    guard bytes.byteCount >= Self.byteCount else { return nil }
    let word = Self.word
    let content = Self.headerByteCount
    let trees = content + 8 + 2 * word
    isMeta = Self.load(bytes, word + 2, as: UInt16.self) & 0x08 != 0
    magic = Self.load(bytes, content, as: UInt32.self)
    version = Self.load(bytes, content + 4, as: UInt32.self)
    mapByteCount = Self.load(bytes, content + 8 + word, as: UInt.self)
    pageByteCount = Int(truncatingIfNeeded: Self.load(bytes, trees, as: UInt32.self))
    freeTable = Self.tree(bytes, trees)
    mainTable = Self.tree(bytes, trees + Self.treeByteCount)
    lastPage = Self.load(bytes, trees + 2 * Self.treeByteCount, as: UInt.self)
    transactionID = Self.load(bytes, trees + 2 * Self.treeByteCount + word, as: UInt.self)
  }

  /// True for a page size that LMDB could have written.
  var hasPlausiblePageSize: Bool {
    Self.pageByteCounts.contains(pageByteCount) && pageByteCount & (pageByteCount - 1) == 0
  }

  /// True for the state before the first transaction.
  var isInitial: Bool {
    isMeta && magic == Self.magic && version == Self.version && hasPlausiblePageSize
      && transactionID == 0 && lastPage == 1 && freeTable.root == Self.noPage
      && mainTable.root == Self.noPage
  }

  private static func tree(_ bytes: RawSpan, _ offset: Int) -> Tree {
    Tree(
      flags: load(bytes, offset + 4, as: UInt16.self),
      depth: load(bytes, offset + 6, as: UInt16.self),
      root: load(bytes, offset + 8 + 4 * word, as: UInt.self))
  }

  private static func load<T: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: RawSpan, _ offset: Int, as type: T.Type
  ) -> T {
    unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type)  // Any bits are an integer.
  }
}
