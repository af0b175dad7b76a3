#include "lmdb_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Address space, not disk: enough for ten million events with their records. */
static const size_t map_bytes = (size_t)64 << 30;

static int open_tables(lmdb_peer *peer) {
  MDB_txn *transaction;
  int error = mdb_txn_begin(peer->environment, NULL, 0, &transaction);
  if (error) return error;
  error = mdb_dbi_open(transaction, "events", MDB_CREATE | MDB_INTEGERKEY, &peer->events);
  if (!error && peer->keeps_records) {
    error = mdb_dbi_open(transaction, "records", MDB_CREATE, &peer->records);
  }
  if (error) {
    mdb_txn_abort(transaction);
    return error;
  }
  error = mdb_txn_commit(transaction);
  return error ? error : lmdb_peer_last(peer, &peer->sequence);
}

int lmdb_peer_open(lmdb_peer **result, const char *directory, int keeps_records, int is_relaxed) {
  lmdb_peer *peer = calloc(1, sizeof *peer);
  if (!peer) return ENOMEM;
  peer->keeps_records = keeps_records;
  int error = mdb_env_create(&peer->environment);
  if (error) {
    free(peer);
    return error;
  }
  if (!error) error = mdb_env_set_mapsize(peer->environment, map_bytes);
  if (!error) error = mdb_env_set_maxdbs(peer->environment, 4);
  /* Reading ahead of a random fault costs a cold open megabytes. */
  unsigned int flags = MDB_NORDAHEAD | (is_relaxed ? MDB_NOSYNC : 0);
  if (!error) error = mdb_env_open(peer->environment, directory, flags, 0644);
  if (!error) error = open_tables(peer);
  if (error) {
    lmdb_peer_close(peer);
    return error;
  }
  *result = peer;
  return 0;
}

void lmdb_peer_close(lmdb_peer *peer) {
  mdb_env_close(peer->environment);
  free(peer);
}

const char *lmdb_peer_message(int error) { return mdb_strerror(error); }
const char *lmdb_peer_version(void) { return mdb_version(NULL, NULL, NULL); }

int lmdb_peer_apply(MDB_txn *transaction, MDB_dbi records, const uint8_t *event) {
  uint32_t kind, likes;
  memcpy(&kind, event + 16, 4);
  MDB_val key = {PEER_KEY_BYTES, (void *)(event + 24)};
  MDB_val value = {PEER_RECORD_BYTES, NULL};
  if (kind == PEER_DELETE) return mdb_del(transaction, records, &key, NULL);
  if (kind == PEER_CREATE) {
    value.mv_data = (void *)(event + PEER_EVENT_HEADER);
    return mdb_put(transaction, records, &key, &value, 0);
  }
  uint8_t record[PEER_RECORD_BYTES];
  int error = mdb_get(transaction, records, &key, &value);
  if (error) return error;
  memcpy(record, value.mv_data, PEER_RECORD_BYTES);
  memcpy(&likes, record + PEER_POST_VALUES, 4);
  likes += 1;
  memcpy(record + PEER_POST_VALUES, &likes, 4);
  value.mv_data = record;
  return mdb_put(transaction, records, &key, &value, 0);
}

static int append(lmdb_peer *peer, MDB_txn *transaction, MDB_cursor *cursor,
                  const peer_workload *workload, peer_operation operation) {
  uint64_t sequence = ++peer->sequence;
  MDB_val key = {sizeof sequence, &sequence};
  MDB_val value = {peer_event_length(operation.kind), NULL};
  if (!peer->keeps_records) {
    int error = mdb_cursor_put(cursor, &key, &value, MDB_APPEND | MDB_RESERVE);
    if (!error) peer_event_encode(value.mv_data, sequence, workload, operation);
    return error;
  }
  uint8_t event[PEER_EVENT_BYTES_MAX];
  peer_event_encode(event, sequence, workload, operation);
  value.mv_data = event;
  int error = mdb_cursor_put(cursor, &key, &value, MDB_APPEND);
  return error ? error : lmdb_peer_apply(transaction, peer->records, event);
}

int lmdb_peer_commit(lmdb_peer *peer, const peer_workload *workload, size_t first, size_t count) {
  MDB_txn *transaction;
  MDB_cursor *cursor;
  int error = mdb_txn_begin(peer->environment, NULL, 0, &transaction);
  if (error) return error;
  error = mdb_cursor_open(transaction, peer->events, &cursor);
  if (error) {
    mdb_txn_abort(transaction);
    return error;
  }
  for (size_t index = first; !error && index < first + count; index++) {
    error = append(peer, transaction, cursor, workload, workload->operations[index]);
  }
  mdb_cursor_close(cursor);
  if (error) {
    mdb_txn_abort(transaction);
    return error;
  }
  return mdb_txn_commit(transaction);
}
