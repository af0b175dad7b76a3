#ifndef PEERS_SQLITE_H
#define PEERS_SQLITE_H

#include "workload.h"

/* An events table and a table of current rows on SQLite in WAL mode. */
typedef struct sqlite_peer sqlite_peer;

/* What makes the tables, for every peer on SQLite. */
extern const char *const sqlite_peer_schema;

/* Each returns 0, or an error of SQLite's that `sqlite_peer_message` tells. */
int sqlite_peer_open(sqlite_peer **peer, const char *path, int is_relaxed);
void sqlite_peer_close(sqlite_peer *peer);
const char *sqlite_peer_message(int error);
const char *sqlite_peer_version(void);
/* What `PRAGMA synchronous` says: 1 NORMAL, 2 FULL. */
int sqlite_peer_synchronous(sqlite_peer *peer);

/* Writes operations with one commit. Any thread may call it; a lock lets one in at a time. */
int sqlite_peer_commit(sqlite_peer *peer, const peer_workload *workload, size_t first,
                       size_t count);

int sqlite_peer_get(sqlite_peer *peer, const peer_workload *workload, const uint32_t *posts,
                    size_t count, size_t *found);
int sqlite_peer_scan(sqlite_peer *peer, size_t *count, uint64_t *checksum);
/* Reads every event and makes the rows anew in another table, in one transaction. */
int sqlite_peer_rebuild(sqlite_peer *peer, size_t *count);
int sqlite_peer_last(sqlite_peer *peer, uint64_t *sequence);

#endif
