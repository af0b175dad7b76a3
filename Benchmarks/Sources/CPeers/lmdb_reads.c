#include <string.h>

#include "lmdb_private.h"

static int begin_read(lmdb_peer *peer, MDB_dbi table, MDB_txn **transaction, MDB_cursor **cursor) {
  int error = mdb_txn_begin(peer->environment, NULL, MDB_RDONLY, transaction);
  if (error) return error;
  error = mdb_cursor_open(*transaction, table, cursor);
  if (error) mdb_txn_abort(*transaction);
  return error;
}

static void end_read(MDB_txn *transaction, MDB_cursor *cursor) {
  mdb_cursor_close(cursor);
  mdb_txn_abort(transaction);
}

static int is_failure(int error) { return error && error != MDB_NOTFOUND ? error : 0; }

int lmdb_peer_get(lmdb_peer *peer, const peer_workload *workload, const uint32_t *posts,
                  size_t count, size_t *found) {
  MDB_txn *transaction;
  int error = mdb_txn_begin(peer->environment, NULL, MDB_RDONLY, &transaction);
  if (error) return error;
  volatile uint64_t sink = 0;
  size_t hits = 0;
  for (size_t index = 0; index < count; index++) {
    MDB_val key = {PEER_KEY_BYTES, (void *)peer_key(workload, posts[index])}, value;
    error = mdb_get(transaction, peer->records, &key, &value);
    if (error == MDB_NOTFOUND) continue;
    if (error) break;
    sink += *(const uint8_t *)value.mv_data;
    hits++;
  }
  mdb_txn_abort(transaction);
  *found = hits;
  return is_failure(error);
}

static int walk(lmdb_peer *peer, MDB_dbi table, size_t *count, uint64_t *checksum) {
  MDB_txn *transaction;
  MDB_cursor *cursor;
  MDB_val key, value;
  int error = begin_read(peer, table, &transaction, &cursor);
  if (error) return error;
  size_t seen = 0;
  uint64_t sum = 0;
  while (!(error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
    sum += peer_checksum(value.mv_data, value.mv_size);
    seen++;
  }
  end_read(transaction, cursor);
  *count = seen;
  *checksum = sum;
  return is_failure(error);
}

int lmdb_peer_scan(lmdb_peer *peer, size_t *count, uint64_t *checksum) {
  return walk(peer, peer->records, count, checksum);
}

int lmdb_peer_replay(lmdb_peer *peer, size_t *count, uint64_t *checksum) {
  return walk(peer, peer->events, count, checksum);
}

int lmdb_peer_rebuild(lmdb_peer *peer, size_t *count) {
  MDB_txn *transaction;
  MDB_cursor *cursor;
  MDB_dbi rebuilt;
  MDB_val key, value;
  size_t seen = 0;
  int error = mdb_txn_begin(peer->environment, NULL, 0, &transaction);
  if (error) return error;
  error = mdb_dbi_open(transaction, "rebuilt", MDB_CREATE, &rebuilt);
  if (!error) error = mdb_cursor_open(transaction, peer->events, &cursor);
  if (error) {
    mdb_txn_abort(transaction);
    return error;
  }
  while (!error && !(error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
    error = lmdb_peer_apply(transaction, rebuilt, value.mv_data);
    seen++;
  }
  mdb_cursor_close(cursor);
  *count = seen;
  if (is_failure(error)) {
    mdb_txn_abort(transaction);
    return error;
  }
  return mdb_txn_commit(transaction);
}

int lmdb_peer_last(lmdb_peer *peer, uint64_t *sequence) {
  MDB_txn *transaction;
  MDB_cursor *cursor;
  MDB_val key, value;
  int error = begin_read(peer, peer->events, &transaction, &cursor);
  if (error) return error;
  error = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
  *sequence = 0;
  if (!error) memcpy(sequence, key.mv_data, sizeof *sequence);
  end_read(transaction, cursor);
  return is_failure(error);
}

int lmdb_peer_log_bytes(lmdb_peer *peer, uint64_t *bytes) {
  MDB_txn *transaction;
  MDB_stat status;
  int error = mdb_txn_begin(peer->environment, NULL, MDB_RDONLY, &transaction);
  if (error) return error;
  error = mdb_stat(transaction, peer->events, &status);
  mdb_txn_abort(transaction);
  if (error) return error;
  *bytes = (uint64_t)status.ms_psize *
           (status.ms_branch_pages + status.ms_leaf_pages + status.ms_overflow_pages);
  return 0;
}
