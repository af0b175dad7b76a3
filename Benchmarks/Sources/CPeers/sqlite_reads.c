#include "sqlite_private.h"

/* A row's values as an application takes them. */
static uint64_t read_row(sqlite3_stmt *statement) {
  uint64_t sum = (uint64_t)sqlite3_column_int64(statement, 4);
  for (int column = 0; column < 4; column++) {
    const unsigned char *text = sqlite3_column_text(statement, column);
    sum += peer_checksum(text, (size_t)sqlite3_column_bytes(statement, column));
  }
  return sum;
}

int sqlite_peer_get(sqlite_peer *peer, const peer_workload *workload, const uint32_t *posts,
                    size_t count, size_t *found) {
  sqlite3_stmt *statement;
  int error = sqlite_peer_prepare(
      peer->database, "SELECT title, text, owner, date, likes FROM posts WHERE id = ?1",
      &statement);
  if (error) return error;
  volatile uint64_t sink = 0;
  size_t hits = 0;
  for (size_t index = 0; !error && index < count; index++) {
    const uint8_t *key = peer_key(workload, posts[index]);
    sqlite3_bind_blob(statement, 1, key, PEER_KEY_BYTES, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
      sink += read_row(statement);
      hits++;
    } else if (step != SQLITE_DONE) {
      error = step;
    }
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  *found = hits;
  return error;
}

int sqlite_peer_scan(sqlite_peer *peer, size_t *count, uint64_t *checksum) {
  sqlite3_stmt *statement;
  int step, error = sqlite_peer_prepare(
      peer->database, "SELECT title, text, owner, date, likes FROM posts", &statement);
  if (error) return error;
  size_t seen = 0;
  uint64_t sum = 0;
  while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
    sum += read_row(statement);
    seen++;
  }
  sqlite3_finalize(statement);
  *count = seen;
  *checksum = sum;
  return step == SQLITE_DONE ? SQLITE_OK : step;
}

static int rebuild_into(sqlite_peer *peer, sqlite_row_statements *rows, size_t *count) {
  sqlite3_stmt *statement;
  int step, error = sqlite_peer_prepare(
      peer->database, "SELECT body FROM events ORDER BY sequence", &statement);
  if (error) return error;
  size_t seen = 0;
  while (!error && (step = sqlite3_step(statement)) == SQLITE_ROW) {
    error = sqlite_peer_apply(rows, sqlite3_column_blob(statement, 0));
    seen++;
  }
  sqlite3_finalize(statement);
  *count = seen;
  return error ? error : step == SQLITE_DONE ? SQLITE_OK : step;
}

int sqlite_peer_rebuild(sqlite_peer *peer, size_t *count) {
  sqlite_row_statements rows = {0};
  int error = sqlite3_exec(
      peer->database,
      "CREATE TABLE rebuilt (id BLOB PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL,"
      "  owner TEXT NOT NULL, date TEXT NOT NULL, likes INTEGER NOT NULL);",
      NULL, NULL, NULL);
  if (!error) error = sqlite_peer_prepare_rows(peer->database, "rebuilt", &rows);
  if (!error) error = sqlite_peer_run(peer->begin);
  if (!error) error = rebuild_into(peer, &rows, count);
  if (!error) error = sqlite_peer_run(peer->commit);
  sqlite_peer_finalize_rows(&rows);
  return error;
}

int sqlite_peer_last(sqlite_peer *peer, uint64_t *sequence) {
  sqlite3_stmt *statement;
  int error =
      sqlite_peer_prepare(peer->database, "SELECT max(sequence) FROM events", &statement);
  if (error) return error;
  int step = sqlite3_step(statement);
  *sequence = step == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  return step == SQLITE_ROW ? SQLITE_OK : step;
}
