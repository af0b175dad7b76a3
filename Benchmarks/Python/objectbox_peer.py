"""ObjectBox: an entity of events and one of posts, whose id of 36 characters is indexed."""

import os

from workload import CREATE, UPDATE


class ObjectBoxPeer:
    def __init__(self, directory):
        import objectbox
        from objectbox import Bytes, Entity, Id, Index, Int64, Model, String

        @Entity()
        class Event:
            id = Id()
            body = Bytes()

        @Entity()
        class StoredPost:
            id = Id()
            uuid = String(index=Index())
            title = String()
            text = String()
            owner = String()
            date = String()
            likes = Int64()

        model = Model()
        model.entity(Event)
        model.entity(StoredPost)
        self.event_type, self.post_type = Event, StoredPost
        self.store = objectbox.Store(
            model=model,
            model_json_file=os.path.join(directory, "model.json"),
            directory=os.path.join(directory, "objectbox"),
            max_db_size_in_kb=16 << 20,
        )
        self.events = self.store.box(Event)
        self.posts = self.store.box(StoredPost)
        self.by_uuid = self.posts.query(StoredPost.uuid.equals("").alias("uuid")).build()

    def find(self, uuid):
        self.by_uuid.set_parameter_alias("uuid", uuid)
        found = self.by_uuid.find()
        return found[0] if found else None

    def write(self, posts, operations):
        """Creates of one commit in a row go in with one call, as its documentation advises."""
        with self.store.write_tx():
            self.events.put([self.event_type(body=event_body(posts, *one)) for one in operations])
            made = []
            for kind, place in operations:
                post = posts[place]
                if kind == CREATE:
                    made.append(
                        self.post_type(
                            uuid=post.id,
                            title=post.title,
                            text=post.text,
                            owner=post.owner,
                            date=post.date,
                            likes=1,
                        )
                    )
                    continue
                if made:
                    self.posts.put(made)
                    made = []
                record = self.find(post.id)
                if kind == UPDATE:
                    record.likes += 1
                    self.posts.put(record)
                else:
                    self.posts.remove(record)
            if made:
                self.posts.put(made)

    def close(self):
        self.store.close()


def event_body(posts, kind, place):
    """As long as the other peers' events: a header and key of 40 bytes, then the values."""
    post = posts[place]
    if kind == CREATE:
        values = post.title + post.text + post.owner + post.date
        return bytes(44) + values.encode("ascii")
    return bytes(48 if kind == UPDATE else 40)
