#include <stdio.h>
#include <string.h>

#include "sqlite_private.h"

int sqlite_peer_prepare(sqlite3 *database, const char *text, sqlite3_stmt **statement) {
  return sqlite3_prepare_v3(database, text, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

static int prepare_for(sqlite3 *database, const char *format, const char *table,
                       sqlite3_stmt **statement) {
  char text[160];
  snprintf(text, sizeof text, format, table);
  return sqlite_peer_prepare(database, text, statement);
}

int sqlite_peer_prepare_rows(sqlite3 *database, const char *table, sqlite_row_statements *rows) {
  int error = prepare_for(
      database,
      "INSERT INTO %s (id, title, text, owner, date, likes) VALUES (?1, ?2, ?3, ?4, ?5, 1)", table,
      &rows->insert);
  if (!error) {
    error = prepare_for(database, "UPDATE %s SET likes = likes + 1 WHERE id = ?1", table,
                        &rows->update);
  }
  if (error) return error;
  return prepare_for(database, "DELETE FROM %s WHERE id = ?1", table, &rows->remove);
}

void sqlite_peer_finalize_rows(sqlite_row_statements *rows) {
  sqlite3_finalize(rows->insert);
  sqlite3_finalize(rows->update);
  sqlite3_finalize(rows->remove);
}

int sqlite_peer_run(sqlite3_stmt *statement) {
  int step = sqlite3_step(statement);
  sqlite3_reset(statement);
  return step == SQLITE_DONE ? SQLITE_OK : step;
}

int sqlite_peer_apply(sqlite_row_statements *rows, const uint8_t *event) {
  static const int lengths[] = {PEER_POST_TITLE, PEER_POST_TEXT, PEER_POST_OWNER, PEER_POST_DATE};
  uint32_t kind;
  memcpy(&kind, event + 16, 4);
  sqlite3_stmt *statement =
      kind == PEER_CREATE ? rows->insert : kind == PEER_UPDATE ? rows->update : rows->remove;
  sqlite3_bind_blob(statement, 1, event + 24, PEER_KEY_BYTES, SQLITE_STATIC);
  if (kind == PEER_CREATE) {
    const char *value = (const char *)event + PEER_EVENT_HEADER;
    for (int column = 0; column < 4; column++) {
      sqlite3_bind_text(statement, column + 2, value, lengths[column], SQLITE_STATIC);
      value += lengths[column];
    }
  }
  return sqlite_peer_run(statement);
}
