#if defined(__linux__)
#define _GNU_SOURCE
#include <sys/sysmacros.h>
#endif

#include "disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int peer_sync(int descriptor) {
#if defined(__APPLE__)
  return fcntl(descriptor, F_FULLFSYNC);
#else
  return fdatasync(descriptor);
#endif
}

int peer_sync_file_system(int descriptor) {
#if defined(__linux__)
  return syncfs(descriptor);
#else
  sync();
  return fsync(descriptor);
#endif
}

int peer_evict(int descriptor) {
#if defined(__linux__)
  if (fsync(descriptor) != 0) return -1;
  return posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
#else
  return fsync(descriptor);
#endif
}

int64_t peer_allocated_bytes(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) return -1;
  return (int64_t)status.st_blocks * 512;
}

int peer_device(const char *path, uint32_t *major_number, uint32_t *minor_number) {
  struct stat status;
  if (stat(path, &status) != 0) return -1;
#if defined(__linux__)
  *major_number = major(status.st_dev);
  *minor_number = minor(status.st_dev);
  return 0;
#else
  (void)major_number;
  (void)minor_number;
  return -1;
#endif
}
