#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite_private.h"

/* The id is 16 bytes, not 36 characters. Rows lie in the order of their creation and the random ids
 * in an index: measured twice as fast as rows in the tree of their ids, WITHOUT ROWID. */
const char *const sqlite_peer_schema =
    "CREATE TABLE IF NOT EXISTS events ("
    "  sequence INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS posts ("
    "  id BLOB PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL, owner TEXT NOT NULL,"
    "  date TEXT NOT NULL, likes INTEGER NOT NULL);";

/* A checkpoint every 64 MiB of WAL in place of 4: the pages of random keys are written once for
 * many changes. */
static const char *const settings =
    "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 16384;";

static int prepare_all(sqlite_peer *peer) {
  sqlite3 *database = peer->database;
  int error = sqlite_peer_prepare(database, "BEGIN IMMEDIATE", &peer->begin);
  if (!error) error = sqlite_peer_prepare(database, "COMMIT", &peer->commit);
  if (!error) {
    error = sqlite_peer_prepare(database, "INSERT INTO events (body) VALUES (?1)", &peer->append);
  }
  return error ? error : sqlite_peer_prepare_rows(database, "posts", &peer->rows);
}

int sqlite_peer_open(sqlite_peer **result, const char *path, int is_relaxed) {
  sqlite_peer *peer = calloc(1, sizeof *peer);
  if (!peer) return SQLITE_NOMEM;
  pthread_mutex_init(&peer->lock, NULL);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  int error = sqlite3_open_v2(path, &peer->database, flags, NULL);
  if (!error) error = sqlite3_exec(peer->database, settings, NULL, NULL, NULL);
  const char *synchronous =
      is_relaxed ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL";
  if (!error) error = sqlite3_exec(peer->database, synchronous, NULL, NULL, NULL);
  if (!error) error = sqlite3_exec(peer->database, sqlite_peer_schema, NULL, NULL, NULL);
  if (!error) error = prepare_all(peer);
  if (error) {
    sqlite_peer_close(peer);
    return error;
  }
  *result = peer;
  return SQLITE_OK;
}

void sqlite_peer_close(sqlite_peer *peer) {
  sqlite3_finalize(peer->begin);
  sqlite3_finalize(peer->commit);
  sqlite3_finalize(peer->append);
  sqlite_peer_finalize_rows(&peer->rows);
  sqlite3_close(peer->database);
  pthread_mutex_destroy(&peer->lock);
  free(peer);
}

const char *sqlite_peer_message(int error) { return sqlite3_errstr(error); }
const char *sqlite_peer_version(void) { return sqlite3_libversion(); }

int sqlite_peer_synchronous(sqlite_peer *peer) {
  sqlite3_stmt *statement;
  if (sqlite_peer_prepare(peer->database, "PRAGMA synchronous", &statement)) return -1;
  int level = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int(statement, 0) : -1;
  sqlite3_finalize(statement);
  return level;
}

static int write_all(sqlite_peer *peer, const peer_workload *workload, size_t first,
                     size_t count) {
  uint8_t event[PEER_EVENT_BYTES_MAX];
  int error = sqlite_peer_run(peer->begin);
  for (size_t index = first; !error && index < first + count; index++) {
    peer_operation operation = workload->operations[index];
    peer_event_encode(event, index, workload, operation);
    int length = (int)peer_event_length(operation.kind);
    sqlite3_bind_blob(peer->append, 1, event, length, SQLITE_STATIC);
    error = sqlite_peer_run(peer->append);
    if (!error) error = sqlite_peer_apply(&peer->rows, event);
  }
  return error ? error : sqlite_peer_run(peer->commit);
}

int sqlite_peer_commit(sqlite_peer *peer, const peer_workload *workload, size_t first,
                       size_t count) {
  pthread_mutex_lock(&peer->lock);
  int error = write_all(peer, workload, first, count);
  pthread_mutex_unlock(&peer->lock);
  return error;
}
