#ifndef TIDEMARK_PREFETCH_H
#define TIDEMARK_PREFETCH_H

/// Asks the processor to bring a line of memory into its cache. Any address is allowed.
static inline void tidemark_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
