// Made by `tidemark codegen`: change the schema, and run it again.

public import Tidemark

/// A book, as the library keeps it.
///
/// Every kind of field stands in it, and names that Swift has for itself.
public struct Book: Record, Codable, Hashable {
  public static let modelName = "Book"
  public static let fieldNames = [
    "title",
    "author_id",
    "class",
    "default",
    "price",
    "pages",
    "isbn",
    "published",
    "printedAt",
    "URL",
    "genre",
    "formerGenres",
    "moods",
    "place",
    "copies",
    "decoder",
    "notes",
    "loans",
    "keeper",
  ]

  /// Assigned when it comes in, and never again whatever becomes of the book that it was assigned
  /// to first.
  public let id: RecordID
  public var title: String
  public var authorId: RecordID
  public var `class`: String?
  public var `default`: Bool
  public var price: Double?
  public var pages: Int64
  public var isbn: String?
  public var published: String?
  public var printedAt: Int64?
  public var url: String?
  public var genre: Genre
  public var formerGenres: [Genre]?
  public var moods: Set<Genre>
  /// Where it stands.
  ///   (Ask at the desk.)
  public var place: Shelf
  public var copies: [Shelf]
  public var decoder: String?
  public var notes: [String?]?
  public var loans: Int64
  /// What the rules read; filled in where a rule says so.
  public var keeper: String?

  public init(
    id: RecordID = .random(),
    title: String,
    authorId: RecordID,
    `class`: String? = nil,
    `default`: Bool,
    price: Double? = nil,
    pages: Int64,
    isbn: String? = nil,
    published: String? = nil,
    printedAt: Int64? = nil,
    url: String? = nil,
    genre: Genre,
    formerGenres: [Genre]? = nil,
    moods: Set<Genre> = [],
    place: Shelf,
    copies: [Shelf],
    decoder: String? = nil,
    notes: [String?]? = nil,
    loans: Int64 = 0,
    keeper: String? = nil
  ) {
    self.id = id
    self.title = title
    self.authorId = authorId
    self.`class` = `class`
    self.`default` = `default`
    self.price = price
    self.pages = pages
    self.isbn = isbn
    self.published = published
    self.printedAt = printedAt
    self.url = url
    self.genre = genre
    self.formerGenres = formerGenres
    self.moods = moods
    self.place = place
    self.copies = copies
    self.decoder = decoder
    self.notes = notes
    self.loans = loans
    self.keeper = keeper
  }

  public init(from decoder: borrowing RecordDecoder) throws(StoreError) {
    id = decoder.id
    title = try decoder.required(0)
    authorId = try decoder.required(1)
    `class` = try decoder.optional(2)
    `default` = try decoder.required(3)
    price = try decoder.optional(4)
    pages = try decoder.required(5)
    isbn = try decoder.optional(6)
    published = try decoder.optional(7)
    printedAt = try decoder.optional(8)
    url = try decoder.optional(9)
    genre = try decoder.required(10)
    formerGenres = try decoder.optional(11)
    moods = try decoder.set(12)
    place = try decoder.required(13)
    copies = try decoder.required(14)
    self.decoder = try decoder.optional(15)
    notes = try decoder.optional(16)
    loans = try decoder.counter(17)
    keeper = try decoder.optional(18)
  }

  public func encode(into encoder: inout RecordEncoder) throws(StoreError) {
    try encoder.set(0, title)
    try encoder.set(1, authorId)
    try encoder.set(2, `class`)
    try encoder.set(3, `default`)
    try encoder.set(4, price)
    try encoder.set(5, pages)
    try encoder.set(6, isbn)
    try encoder.set(7, published)
    try encoder.set(8, printedAt)
    try encoder.set(9, url)
    try encoder.set(10, genre)
    try encoder.set(11, formerGenres)
    try encoder.set(12, moods)
    try encoder.set(13, place)
    try encoder.set(14, copies)
    try encoder.set(15, self.decoder)
    try encoder.set(16, notes)
    try encoder.set(17, loans)
    try encoder.set(18, keeper)
  }

  /// For conditions, and for writes to one field.
  public struct Fields: Sendable {
    public let id = RecordField<Book, RecordID>("id")
    public let title = RecordField<Book, String>("title")
    public let authorId = RecordField<Book, RecordID>("author_id")
    public let `class` = RecordField<Book, String>("class")
    public let `default` = RecordField<Book, Bool>("default")
    public let price = RecordField<Book, Double>("price")
    public let pages = RecordField<Book, Int64>("pages")
    public let isbn = RecordField<Book, String>("isbn")
    public let published = RecordField<Book, String>("published")
    public let printedAt = RecordField<Book, Int64>("printedAt")
    public let url = RecordField<Book, String>("URL")
    public let genre = RecordField<Book, Genre>("genre")
    public let formerGenres = RecordField<Book, [Genre]>("formerGenres")
    public let moods = SetField<Book, Genre>("moods")
    public let place = RecordField<Book, Shelf>("place")
    public let copies = RecordField<Book, [Shelf]>("copies")
    public let decoder = RecordField<Book, String>("decoder")
    public let notes = RecordField<Book, [String?]>("notes")
    public let loans = CounterField<Book>("loans")
    public let keeper = RecordField<Book, String>("keeper")
  }

  public static let fields = Fields()

  private enum CodingKeys: String, CodingKey {
    case id
    case title
    case authorId = "author_id"
    case `class`
    case `default`
    case price
    case pages
    case isbn
    case published
    case printedAt
    case url = "URL"
    case genre
    case formerGenres
    case moods
    case place
    case copies
    case decoder
    case notes
    case loans
    case keeper
  }
}

public struct Shelf: RecordValue, Codable, Hashable {
  public var room: String
  public var row: Int64?
  public var `in`: Sign?

  public init(room: String, row: Int64? = nil, `in`: Sign? = nil) {
    self.room = room
    self.row = row
    self.`in` = `in`
  }

  public init?(recordValue: Value) {
    guard let room: String = recordValue.member("room"),
      let row: Int64? = recordValue.member("row"),
      let `in`: Sign? = recordValue.member("in")
    else { return nil }
    self.room = room
    self.row = row
    self.`in` = `in`
  }

  public var recordValue: Value {
    .object(leavingOutNulls: [
      "room": room.recordValue,
      "row": row.recordValue,
      "in": `in`.recordValue,
    ])
  }
}

/// A sign on a shelf.
public struct Sign: RecordValue, Codable, Hashable {
  public var text: String

  public init(text: String) {
    self.text = text
  }

  public init?(recordValue: Value) {
    guard let text: String = recordValue.member("text") else { return nil }
    self.text = text
  }

  public var recordValue: Value {
    .object(leavingOutNulls: ["text": text.recordValue])
  }
}

public enum Genre: String, RecordValue, Codable, CaseIterable {
  /// Invented.
  case fiction = "FICTION"
  case nonFiction = "NON_FICTION"
  case essay
  case `in`
}
