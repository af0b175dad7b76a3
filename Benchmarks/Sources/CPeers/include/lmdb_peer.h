#ifndef PEERS_LMDB_H
#define PEERS_LMDB_H

#include "workload.h"

/* A log on LMDB. Without records it appends and nothing else, which is the limit; with records it
 * also puts the current record under its random key, as a naive event store does. */
typedef struct lmdb_peer lmdb_peer;

/* Each returns 0, or an error of LMDB's that `lmdb_peer_message` tells. */
int lmdb_peer_open(lmdb_peer **peer, const char *directory, int keeps_records, int is_relaxed);
void lmdb_peer_close(lmdb_peer *peer);
const char *lmdb_peer_message(int error);
const char *lmdb_peer_version(void);

/* Writes operations with one commit. Any thread may call it; LMDB lets one in at a time. */
int lmdb_peer_commit(lmdb_peer *peer, const peer_workload *workload, size_t first, size_t count);

/* Finds each post's record and reads its first bytes. */
int lmdb_peer_get(lmdb_peer *peer, const peer_workload *workload, const uint32_t *posts,
                  size_t count, size_t *found);
int lmdb_peer_scan(lmdb_peer *peer, size_t *count, uint64_t *checksum);
/* Reads every event in order. */
int lmdb_peer_replay(lmdb_peer *peer, size_t *count, uint64_t *checksum);
/* Reads every event and makes the records anew, in one transaction. */
int lmdb_peer_rebuild(lmdb_peer *peer, size_t *count);
/* Reads the last event: what opening has to do before the next can be written. */
int lmdb_peer_last(lmdb_peer *peer, uint64_t *sequence);
/* The bytes of the pages that hold the log. */
int lmdb_peer_log_bytes(lmdb_peer *peer, uint64_t *bytes);

#endif
