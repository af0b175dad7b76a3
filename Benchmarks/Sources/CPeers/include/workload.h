#ifndef PEERS_WORKLOAD_H
#define PEERS_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

/* The workload as the C peers read it. A post is 308 bytes: id 36, title 40, text 200, owner 8,
 * date 24. Its key is the id as 16 bytes. */
enum {
  PEER_POST_ID = 36,
  PEER_POST_TITLE = 40,
  PEER_POST_TEXT = 200,
  PEER_POST_OWNER = 8,
  PEER_POST_DATE = 24,
  PEER_POST_VALUES = PEER_POST_TITLE + PEER_POST_TEXT + PEER_POST_OWNER + PEER_POST_DATE,
  PEER_POST_BYTES = PEER_POST_ID + PEER_POST_VALUES,
  PEER_KEY_BYTES = 16,
  PEER_RECORD_BYTES = PEER_POST_VALUES + 4
};

enum { PEER_CREATE = 0, PEER_UPDATE = 1, PEER_DELETE = 2 };

typedef struct {
  uint32_t kind;
  /* Counts posts and keys. */
  uint32_t post;
} peer_operation;

typedef struct {
  const peer_operation *operations;
  const uint8_t *posts;
  const uint8_t *keys;
} peer_workload;

static inline const uint8_t *peer_post(const peer_workload *workload, size_t index) {
  return workload->posts + index * PEER_POST_BYTES;
}

static inline const uint8_t *peer_key(const peer_workload *workload, size_t index) {
  return workload->keys + index * PEER_KEY_BYTES;
}

/* The event that every peer writes: stamp 8, author 8, kind 4, model 4, key 16; then a create's
 * values and counter (316 bytes in all), an update's amount (48), a delete's nothing (40). */
enum {
  PEER_EVENT_HEADER = 40,
  PEER_EVENT_BYTES_MAX = PEER_EVENT_HEADER + PEER_RECORD_BYTES
};

size_t peer_event_length(uint32_t kind);
void peer_event_encode(uint8_t *into, uint64_t stamp, const peer_workload *workload,
                       peer_operation operation);
/* A new post's record: its values and the counter, which begins at 1. */
void peer_record_encode(uint8_t *into, const uint8_t *post);
/* All of the bytes are read, so that a scan costs what a reader pays. */
uint64_t peer_checksum(const uint8_t *bytes, size_t count);

#endif
