#include "workload.h"

#include <string.h>

size_t peer_event_length(uint32_t kind) {
  switch (kind) {
    case PEER_CREATE: return PEER_EVENT_HEADER + PEER_RECORD_BYTES;
    case PEER_UPDATE: return PEER_EVENT_HEADER + 8;
    default: return PEER_EVENT_HEADER;
  }
}

void peer_event_encode(uint8_t *into, uint64_t stamp, const peer_workload *workload,
                       peer_operation operation) {
  const uint64_t author = 1;
  const uint32_t model = 1;
  memcpy(into, &stamp, 8);
  memcpy(into + 8, &author, 8);
  memcpy(into + 16, &operation.kind, 4);
  memcpy(into + 20, &model, 4);
  memcpy(into + 24, peer_key(workload, operation.post), PEER_KEY_BYTES);
  if (operation.kind == PEER_CREATE) {
    peer_record_encode(into + PEER_EVENT_HEADER, peer_post(workload, operation.post));
  } else if (operation.kind == PEER_UPDATE) {
    const int64_t amount = 1;
    memcpy(into + PEER_EVENT_HEADER, &amount, 8);
  }
}

void peer_record_encode(uint8_t *into, const uint8_t *post) {
  const uint32_t likes = 1;
  memcpy(into, post + PEER_POST_ID, PEER_POST_VALUES);
  memcpy(into + PEER_POST_VALUES, &likes, 4);
}

uint64_t peer_checksum(const uint8_t *bytes, size_t count) {
  uint64_t sum = 0, word;
  size_t index = 0;
  for (; index + 8 <= count; index += 8) {
    memcpy(&word, bytes + index, 8);
    sum += word;
  }
  for (; index < count; index++) sum += bytes[index];
  return sum;
}
