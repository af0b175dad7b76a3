#ifndef PEERS_LMDB_PRIVATE_H
#define PEERS_LMDB_PRIVATE_H

#include <lmdb.h>

#include "lmdb_peer.h"

struct lmdb_peer {
  MDB_env *environment;
  MDB_dbi events;
  MDB_dbi records;
  int keeps_records;
  uint64_t sequence;
};

/* Applies an event to the records. */
int lmdb_peer_apply(MDB_txn *transaction, MDB_dbi records, const uint8_t *event);

#endif
