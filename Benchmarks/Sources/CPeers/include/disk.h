#ifndef PEERS_DISK_H
#define PEERS_DISK_H

#include <stdint.h>

/* Makes the file's data durable: fdatasync, or what stands for it. */
int peer_sync(int descriptor);
/* Writes out all that is dirty on the file system of the open file. */
int peer_sync_file_system(int descriptor);
/* Takes a file's pages out of the page cache, so that the next reader is cold. */
int peer_evict(int descriptor);
/* The bytes of disk that hold the file, holes not counted. */
int64_t peer_allocated_bytes(const char *path);
/* The device that holds a path, as /proc/diskstats numbers it. */
int peer_device(const char *path, uint32_t *major_number, uint32_t *minor_number);

#endif
