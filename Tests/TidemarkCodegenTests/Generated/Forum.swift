// Made by `tidemark codegen`: change the schema, and run it again.

import Tidemark

struct Member: Record, Codable, Hashable {
  static let modelName = "Member"
  static let fieldNames = ["name"]

  let id: RecordID
  var name: String

  init(id: RecordID = .random(), name: String) {
    self.id = id
    self.name = name
  }

  init(from decoder: borrowing RecordDecoder) throws(StoreError) {
    id = decoder.id
    name = try decoder.required(0)
  }

  func encode(into encoder: inout RecordEncoder) throws(StoreError) {
    try encoder.set(0, name)
  }

  /// For conditions, and for writes to one field.
  struct Fields: Sendable {
    let id = RecordField<Member, RecordID>("id")
    let name = RecordField<Member, String>("name")
  }

  static let fields = Fields()

  /// For what is read along with a record.
  struct Relations: Sendable {
    let topics = RecordRelation<Member, [Topic]>("topics", ofMany: Topic.self, key: "authorId")
    let profile = RecordRelation<Member, Profile?>("profile", ofOne: Profile.self, key: "memberId")
  }

  static let relations = Relations()

  /// What the member has begun.
  func topics(in session: Session) throws(StoreError) -> [Topic] {
    try session.related(Member.relations.topics, of: self)
  }

  /// The Profile whose `memberId` names this; of several the first by id, as far as the session may
  /// read it.
  func profile(in session: Session) throws(StoreError) -> Profile? {
    try session.related(Member.relations.profile, of: self)
  }
}

struct Profile: Record, Codable, Hashable {
  static let modelName = "Profile"
  static let fieldNames = ["memberId", "motto", "owner"]

  let id: RecordID
  var memberId: RecordID
  var motto: String?
  /// What the rules read; filled in where a rule says so.
  var owner: String?

  init(
    id: RecordID = .random(),
    memberId: RecordID,
    motto: String? = "Say \"hello\"",
    owner: String? = nil
  ) {
    self.id = id
    self.memberId = memberId
    self.motto = motto
    self.owner = owner
  }

  init(from decoder: borrowing RecordDecoder) throws(StoreError) {
    id = decoder.id
    memberId = try decoder.required(0)
    motto = try decoder.optional(1)
    owner = try decoder.optional(2)
  }

  func encode(into encoder: inout RecordEncoder) throws(StoreError) {
    try encoder.set(0, memberId)
    try encoder.set(1, motto)
    try encoder.set(2, owner)
  }

  /// For conditions, and for writes to one field.
  struct Fields: Sendable {
    let id = RecordField<Profile, RecordID>("id")
    let memberId = RecordField<Profile, RecordID>("memberId")
    let motto = RecordField<Profile, String>("motto")
    let owner = RecordField<Profile, String>("owner")
  }

  static let fields = Fields()

  /// For what is read along with a record.
  struct Relations: Sendable {
    let member = RecordRelation<Profile, Member?>("member", of: Member.self, key: { $0.memberId })
  }

  static let relations = Relations()

  /// The Member that `memberId` names, as far as the session may read it.
  func member(in session: Session) throws(StoreError) -> Member? {
    try session.related(Profile.relations.member, of: self)
  }
}

struct Topic: Record, Codable, Hashable {
  static let modelName = "Topic"
  static let fieldNames = ["title", "state", "views", "isPinned", "authorId", "topicAnswerId"]

  let id: RecordID
  var title: String
  var state: State
  var views: Int64
  var isPinned: Bool?
  var authorId: RecordID?
  /// The id of a Reply.
  var topicAnswerId: RecordID?

  init(
    id: RecordID = .random(),
    title: String,
    state: State = .open,
    views: Int64 = 0,
    isPinned: Bool? = false,
    authorId: RecordID? = nil,
    topicAnswerId: RecordID? = nil
  ) {
    self.id = id
    self.title = title
    self.state = state
    self.views = views
    self.isPinned = isPinned
    self.authorId = authorId
    self.topicAnswerId = topicAnswerId
  }

  init(from decoder: borrowing RecordDecoder) throws(StoreError) {
    id = decoder.id
    title = try decoder.required(0)
    state = try decoder.required(1)
    views = try decoder.required(2)
    isPinned = try decoder.optional(3)
    authorId = try decoder.optional(4)
    topicAnswerId = try decoder.optional(5)
  }

  func encode(into encoder: inout RecordEncoder) throws(StoreError) {
    try encoder.set(0, title)
    try encoder.set(1, state)
    try encoder.set(2, views)
    try encoder.set(3, isPinned)
    try encoder.set(4, authorId)
    try encoder.set(5, topicAnswerId)
  }

  /// For conditions, and for writes to one field.
  struct Fields: Sendable {
    let id = RecordField<Topic, RecordID>("id")
    let title = RecordField<Topic, String>("title")
    let state = RecordField<Topic, State>("state")
    let views = RecordField<Topic, Int64>("views")
    let isPinned = RecordField<Topic, Bool>("isPinned")
    let authorId = RecordField<Topic, RecordID>("authorId")
    let topicAnswerId = RecordField<Topic, RecordID>("topicAnswerId")
  }

  static let fields = Fields()

  /// For what is read along with a record.
  struct Relations: Sendable {
    let author = RecordRelation<Topic, Member?>("author", of: Member.self, key: { $0.authorId })
    let answer = RecordRelation<Topic, Reply?>("answer", of: Reply.self, key: { $0.topicAnswerId })
    let replies = RecordRelation<Topic, [Reply]>(
      "replies", ofMany: Reply.self, key: "topicRepliesId"
    )
    let tags = RecordRelation<Topic, [Tag]>(
      "tags", ofMany: Tag.self, through: "TopicTags", key: "topicId", targetKey: "tagId"
    )
  }

  static let relations = Relations()

  /// The Member that `authorId` names, as far as the session may read it.
  func author(in session: Session) throws(StoreError) -> Member? {
    try session.related(Topic.relations.author, of: self)
  }

  /// The Reply that `topicAnswerId` names, as far as the session may read it.
  func answer(in session: Session) throws(StoreError) -> Reply? {
    try session.related(Topic.relations.answer, of: self)
  }

  /// Every Reply whose `topicRepliesId` names this, sorted by id, as far as the session may read
  /// it.
  func replies(in session: Session) throws(StoreError) -> [Reply] {
    try session.related(Topic.relations.replies, of: self)
  }

  /// Every Tag that a TopicTags joins with this, sorted by id, as far as the session may read it.
  func tags(in session: Session) throws(StoreError) -> [Tag] {
    try session.related(Topic.relations.tags, of: self)
  }
}

struct Reply: Record, Codable, Hashable {
  static let modelName = "Reply"
  static let fieldNames = ["text", "topicRepliesId", "replyInReplyToId", "owner"]

  let id: RecordID
  var text: String
  /// The id of a Topic.
  var topicRepliesId: RecordID
  /// The id of a Reply.
  var replyInReplyToId: RecordID?
  /// What the rules read; filled in where a rule says so.
  var owner: String?

  init(
    id: RecordID = .random(),
    text: String,
    topicRepliesId: RecordID,
    replyInReplyToId: RecordID? = nil,
    owner: String? = nil
  ) {
    self.id = id
    self.text = text
    self.topicRepliesId = topicRepliesId
    self.replyInReplyToId = replyInReplyToId
    self.owner = owner
  }

  init(from decoder: borrowing RecordDecoder) throws(StoreError) {
    id = decoder.id
    text = try decoder.required(0)
    topicRepliesId = try decoder.required(1)
    replyInReplyToId = try decoder.optional(2)
    owner = try decoder.optional(3)
  }

  func encode(into encoder: inout RecordEncoder) throws(StoreError) {
    try encoder.set(0, text)
    try encoder.set(1, topicRepliesId)
    try encoder.set(2, replyInReplyToId)
    try encoder.set(3, owner)
  }

  /// For conditions, and for writes to one field.
  struct Fields: Sendable {
    let id = RecordField<Reply, RecordID>("id")
    let text = RecordField<Reply, String>("text")
    let topicRepliesId = RecordField<Reply, RecordID>("topicRepliesId")
    let replyInReplyToId = RecordField<Reply, RecordID>("replyInReplyToId")
    let owner = RecordField<Reply, String>("owner")
  }

  static let fields = Fields()

  /// For what is read along with a record.
  struct Relations: Sendable {
    let topic = RecordRelation<Reply, Topic?>("topic", of: Topic.self, key: { $0.topicRepliesId })
    let inReplyTo = RecordRelation<Reply, Reply?>(
      "inReplyTo", of: Reply.self, key: { $0.replyInReplyToId }
    )
  }

  static let relations = Relations()

  /// The Topic that `topicRepliesId` names, as far as the session may read it.
  func topic(in session: Session) throws(StoreError) -> Topic? {
    try session.related(Reply.relations.topic, of: self)
  }

  /// The Reply that `replyInReplyToId` names, as far as the session may read it.
  func inReplyTo(in session: Session) throws(StoreError) -> Reply? {
    try session.related(Reply.relations.inReplyTo, of: self)
  }
}

struct Tag: Record, Codable, Hashable {
  static let modelName = "Tag"
  static let fieldNames = ["name"]

  let id: RecordID
  var name: String

  init(id: RecordID = .random(), name: String) {
    self.id = id
    self.name = name
  }

  init(from decoder: borrowing RecordDecoder) throws(StoreError) {
    id = decoder.id
    name = try decoder.required(0)
  }

  func encode(into encoder: inout RecordEncoder) throws(StoreError) {
    try encoder.set(0, name)
  }

  /// For conditions, and for writes to one field.
  struct Fields: Sendable {
    let id = RecordField<Tag, RecordID>("id")
    let name = RecordField<Tag, String>("name")
  }

  static let fields = Fields()

  /// For what is read along with a record.
  struct Relations: Sendable {
    let topics = RecordRelation<Tag, [Topic]>(
      "topics", ofMany: Topic.self, through: "TopicTags", key: "tagId", targetKey: "topicId"
    )
  }

  static let relations = Relations()

  /// Every Topic that a TopicTags joins with this, sorted by id, as far as the session may read it.
  func topics(in session: Session) throws(StoreError) -> [Topic] {
    try session.related(Tag.relations.topics, of: self)
  }
}

struct TopicTags: Record, Codable, Hashable {
  static let modelName = "TopicTags"
  static let fieldNames = ["topicId", "tagId"]

  let id: RecordID
  /// The id of a Topic.
  var topicId: RecordID
  /// The id of a Tag.
  var tagId: RecordID

  init(id: RecordID = .random(), topicId: RecordID, tagId: RecordID) {
    self.id = id
    self.topicId = topicId
    self.tagId = tagId
  }

  init(from decoder: borrowing RecordDecoder) throws(StoreError) {
    id = decoder.id
    topicId = try decoder.required(0)
    tagId = try decoder.required(1)
  }

  func encode(into encoder: inout RecordEncoder) throws(StoreError) {
    try encoder.set(0, topicId)
    try encoder.set(1, tagId)
  }

  /// For conditions, and for writes to one field.
  struct Fields: Sendable {
    let id = RecordField<TopicTags, RecordID>("id")
    let topicId = RecordField<TopicTags, RecordID>("topicId")
    let tagId = RecordField<TopicTags, RecordID>("tagId")
  }

  static let fields = Fields()

  /// For what is read along with a record.
  struct Relations: Sendable {
    let topic = RecordRelation<TopicTags, Topic?>("topic", of: Topic.self, key: { $0.topicId })
    let tag = RecordRelation<TopicTags, Tag?>("tag", of: Tag.self, key: { $0.tagId })
  }

  static let relations = Relations()

  /// The Topic that `topicId` names, as far as the session may read it.
  func topic(in session: Session) throws(StoreError) -> Topic? {
    try session.related(TopicTags.relations.topic, of: self)
  }

  /// The Tag that `tagId` names, as far as the session may read it.
  func tag(in session: Session) throws(StoreError) -> Tag? {
    try session.related(TopicTags.relations.tag, of: self)
  }
}

enum State: String, RecordValue, Codable, CaseIterable {
  case open = "OPEN"
  case closed = "CLOSED"
}
