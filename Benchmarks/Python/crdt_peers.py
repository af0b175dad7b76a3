"""The CRDT libraries: one document in memory, its updates appended to a file.

Each class does the same for its library: `write` applies operations as one commit, `edit` sets titles
as one commit, and both return the bytes of what is new; `take` brings in such bytes.
"""

from workload import CREATE, UPDATE


class AutomergePeer:
    def __init__(self):
        from automerge.core import ROOT, Document, ObjType, ScalarType

        self.kinds = ScalarType
        self.map = ObjType.Map
        self.document = Document()
        with self.document.transaction() as transaction:
            self.posts = transaction.put_object(ROOT, "posts", ObjType.Map)
        self.heads = self.document.get_heads()
        self.objects = {}
        self.likes = {}

    def first(self):
        return self.document.save()

    def fork(self):
        other = AutomergePeer.__new__(AutomergePeer)
        other.__dict__.update(self.__dict__)
        other.document = self.document.fork()
        other.objects = dict(self.objects)
        return other

    def news(self):
        changes = self.document.get_changes(self.heads)
        self.heads = self.document.get_heads()
        return b"".join(change.bytes for change in changes)

    def write(self, posts, operations):
        text = self.kinds.Str
        objects = self.objects
        with self.document.transaction() as transaction:
            put = transaction.put
            for kind, place in operations:
                post = posts[place]
                if kind == CREATE:
                    record = transaction.put_object(self.posts, post.id, self.map)
                    objects[post.id] = record
                    put(record, "title", text, post.title)
                    put(record, "text", text, post.text)
                    put(record, "owner", text, post.owner)
                    put(record, "date", text, post.date)
                    # The bindings cannot put a counter.
                    put(record, "likes", self.kinds.Int, 1)
                    self.likes[post.id] = 1
                elif kind == UPDATE:
                    likes = self.likes[post.id] = self.likes[post.id] + 1
                    put(objects[post.id], "likes", self.kinds.Int, likes)
                else:
                    transaction.delete(self.posts, post.id)
        return self.news()

    def edit(self, posts, edits):
        text = self.kinds.Str
        with self.document.transaction() as transaction:
            for place, title in edits:
                transaction.put(self.objects[posts[place].id], "title", text, title)
        return self.news()

    def merge(self, other, updates):
        """The bindings take no bytes into a document: it merges the other in memory."""
        self.document.merge(other.document)

    def load(self, updates):
        self.document = type(self.document).load(b"".join(updates))

    def get(self, id):
        _, record = self.document.get(self.posts, id)
        names = ("title", "text", "owner", "date", "likes")
        return [self.document.get(record, name)[0] for name in names]


class LoroPeer:
    def __init__(self):
        import loro

        self.loro = loro
        self.document = loro.LoroDoc()
        self.posts = self.document.get_map("posts")
        self.version = self.document.oplog_vv
        self.records = {}

    def first(self):
        return b""

    def fork(self):
        other = LoroPeer()
        other.document.import_(self.document.export(self.loro.ExportMode.Snapshot()))
        other.posts = other.document.get_map("posts")
        other.version = other.document.oplog_vv
        return other

    def news(self):
        self.document.commit()
        update = self.document.export(self.loro.ExportMode.Updates(self.version))
        self.version = self.document.oplog_vv
        return update

    def record(self, id):
        found = self.records.get(id)
        if found is None:
            found = self.records[id] = self.posts.get(id).container
        return found

    def write(self, posts, operations):
        for kind, place in operations:
            post = posts[place]
            if kind == CREATE:
                record = self.posts.insert_container(post.id, self.loro.LoroMap())
                record.insert("title", post.title)
                record.insert("text", post.text)
                record.insert("owner", post.owner)
                record.insert("date", post.date)
                record.insert("likes", 1)
                self.records[post.id] = record
            elif kind == UPDATE:
                record = self.record(post.id)
                record.insert("likes", record.get("likes").value + 1)
            else:
                self.posts.delete(post.id)
        return self.news()

    def edit(self, posts, edits):
        for place, title in edits:
            self.record(posts[place].id).insert("title", title)
        return self.news()

    def merge(self, other, updates):
        self.document.import_batch(updates)

    def load(self, updates):
        self.document.import_batch([update for update in updates if update])

    def get(self, id):
        return self.posts.get(id).container.get_value()


class PycrdtPeer:
    def __init__(self):
        import pycrdt

        self.map_type = pycrdt.Map
        self.document = pycrdt.Doc()
        self.posts = self.document.get("posts", type=pycrdt.Map)
        self.state = self.document.get_state()

    def first(self):
        return b""

    def fork(self):
        other = PycrdtPeer()
        other.document.apply_update(self.document.get_update())
        other.state = other.document.get_state()
        return other

    def news(self):
        update = self.document.get_update(self.state)
        self.state = self.document.get_state()
        return update

    def write(self, posts, operations):
        with self.document.transaction():
            for kind, place in operations:
                post = posts[place]
                if kind == CREATE:
                    self.posts[post.id] = self.map_type(
                        {
                            "title": post.title,
                            "text": post.text,
                            "owner": post.owner,
                            "date": post.date,
                            "likes": 1,
                        }
                    )
                elif kind == UPDATE:
                    record = self.posts[post.id]
                    record["likes"] = record["likes"] + 1
                else:
                    del self.posts[post.id]
        return self.news()

    def edit(self, posts, edits):
        with self.document.transaction():
            for place, title in edits:
                self.posts[posts[place].id]["title"] = title
        return self.news()

    def merge(self, other, updates):
        for update in updates:
            self.document.apply_update(update)

    def load(self, updates):
        self.merge(None, [update for update in updates if update])

    def get(self, id):
        return self.posts[id].to_py()


PEERS = {"automerge": AutomergePeer, "loro": LoroPeer, "pycrdt": PycrdtPeer}
