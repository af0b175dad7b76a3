#ifndef PEERS_SQLITE_PRIVATE_H
#define PEERS_SQLITE_PRIVATE_H

#include <pthread.h>
#include <sqlite3.h>

#include "sqlite_peer.h"

/* The statements that change one table of rows. */
typedef struct {
  sqlite3_stmt *insert;
  sqlite3_stmt *update;
  sqlite3_stmt *remove;
} sqlite_row_statements;

struct sqlite_peer {
  sqlite3 *database;
  sqlite3_stmt *begin;
  sqlite3_stmt *commit;
  sqlite3_stmt *append;
  sqlite_row_statements rows;
  /* One connection writes: its transactions are of one thread at a time. */
  pthread_mutex_t lock;
};

int sqlite_peer_prepare(sqlite3 *database, const char *text, sqlite3_stmt **statement);
int sqlite_peer_prepare_rows(sqlite3 *database, const char *table, sqlite_row_statements *rows);
void sqlite_peer_finalize_rows(sqlite_row_statements *rows);
/* Runs a statement that returns no row, and makes it ready for the next. */
int sqlite_peer_run(sqlite3_stmt *statement);
/* Applies an event to the rows. */
int sqlite_peer_apply(sqlite_row_statements *rows, const uint8_t *event);

#endif
