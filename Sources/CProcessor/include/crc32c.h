#ifndef TIDEMARK_CRC32C_H
#define TIDEMARK_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `count` bytes, with the processor's instruction
/// where it has one. Start with `crc` 0; pass a result on to continue it.
uint32_t tidemark_crc32c(uint32_t crc, const void *bytes, size_t count);

#endif
