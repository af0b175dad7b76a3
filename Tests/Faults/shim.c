/* Stands between a program and the system, and writes down what the program does to its files.
 *
 *     cc -shared -fPIC -O2 -o shim.so shim.c
 *     FAULTS_ROOT=/dev/shm/x FAULTS_LOG=/dev/shm/log LD_PRELOAD=./shim.so program
 *
 *   FAULTS_ROOT              the directory whose files are watched; an absolute path without links
 *   FAULTS_LOG               where records are appended, by one process or several; left out,
 *                            nothing is logged, and faults are injected all the same
 *   FAULT=call:n:errno[:m]   the n-th call of that name on a watched file fails, and the m-1 after it;
 *                            `any` counts all storage calls, `writes` all that write data
 *   SHORT=call:n:bytes       the n-th such call writes only so many bytes, and says so
 *   KILLAT=n                 the process ends before its n-th storage call, by status 99
 *
 * Invariants:
 * - records stand in the log in the order in which the calls took effect: a call that changes a file
 *   happens and is logged under one lock;
 * - a sync covers what was logged when it began, and says so in `begun`, for other threads write
 *   while it runs;
 * - an acknowledgement, that is a write to standard output, is logged before it happens: whoever read
 *   it finds it in the log;
 * - a call that fails by itself is not logged. A sync that was made to fail is: what it should have
 *   written is now clean in the page cache and may never reach the disk.
 *
 * Nothing is remembered by descriptor. Each call asks the system which file it has and how it was
 * opened, so a descriptor may be duplicated, closed and used again.
 *
 * Stores through a map cannot be seen as they happen. Small maps for writing are compared with their
 * last state at every call, and differences are logged as if written there; a map larger than
 * MAP_BYTES_MAX is logged as opaque, and the replay refuses the recording. Not seen at all: what the C
 * library does for its own streams (fopen, printf), io_uring, and programs without a dynamic linker.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define STATUS_KILLED 99
#define MAPS_MAX 32
#define MAP_BYTES_MAX (1 << 20)
#define PAGE 4096

enum kind {
  START = 1, OPEN, WRITE, TRUNCATE, ALLOCATE, RENAME, LINK, UNLINK, MKDIR,
  SYNC, SYNC_ALL, STORE, ACKNOWLEDGE, OPAQUE, INJECTED, END
};

/* 64 bytes, little-endian; then name, second name and data. */
struct record {
  uint32_t kind;
  uint32_t error;  /* the errno that was injected, or 0 */
  uint64_t begun;  /* a sync: how many records of this process it may rely on */
  uint64_t file;   /* inode */
  uint64_t offset;
  uint64_t length;
  uint32_t flags;  /* OPEN: 1 created, 2 truncated; WRITE: 1 durable at once; ALLOCATE: the mode */
  uint32_t name_bytes;
  uint32_t other_bytes;
  uint32_t data_bytes;
  uint32_t thread;
  uint32_t process;
};

/* What to do to which call. */
struct plan {
  char call[24];
  long first;
  long count;
  long value;  /* an errno, or a number of bytes */
  long seen;
};

struct map {
  char *address;
  size_t byte_count;
  uint64_t file, offset;
  char *copy;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char root[PATH_MAX];
static size_t root_bytes;
static int log_descriptor = -1;
static struct plan fault, shortened;
static long kill_at, storage_calls, write_calls;
static uint64_t records;
static struct map maps[MAPS_MAX];

/* ---- The log --------------------------------------------------------------------------------- */

static void stop(const char *message) {
  syscall(SYS_write, STDERR_FILENO, message, strlen(message));
  syscall(SYS_exit_group, 98);
}

static void append(
    struct record record, const char *name, const char *other, const struct iovec *data,
    int data_count) {
  if (log_descriptor < 0) return;
  struct iovec parts[3 + data_count];
  size_t left = 0, total;
  for (int i = 0; i < data_count; i++) left += data[i].iov_len;
  /* A short write has written the front of its data. */
  if (record.kind == WRITE && record.length < left) left = record.length;
  record.name_bytes = name ? strlen(name) : 0;
  record.other_bytes = other ? strlen(other) : 0;
  record.data_bytes = left;
  record.thread = syscall(SYS_gettid);
  record.process = getpid();
  total = sizeof record + record.name_bytes + record.other_bytes + left;
  parts[0] = (struct iovec){&record, sizeof record};
  parts[1] = (struct iovec){(void *)name, record.name_bytes};
  parts[2] = (struct iovec){(void *)other, record.other_bytes};
  for (int i = 0; i < data_count; i++) {
    size_t byte_count = data[i].iov_len < left ? data[i].iov_len : left;
    parts[3 + i] = (struct iovec){data[i].iov_base, byte_count};
    left -= byte_count;
  }
  int saved = errno;
  if (syscall(SYS_writev, log_descriptor, parts, 3 + data_count) != (long)total)
    stop("shim: the log cannot be written\n");
  errno = saved;
  records++;
}

static void note(struct record record, const char *name) { append(record, name, NULL, NULL, 0); }

/* ---- Maps ------------------------------------------------------------------------------------ */

/* Logs every page of a map that changed since it was looked at last. */
static void look(struct map *map) {
  char now[PAGE];
  for (size_t at = 0; at < map->byte_count; at += PAGE) {
    size_t byte_count = map->byte_count - at < PAGE ? map->byte_count - at : PAGE;
    struct iovec to = {now, byte_count}, from = {map->address + at, byte_count};
    /* Behind the end of its file a map cannot be read; this says so, a load would not. */
    if (syscall(SYS_process_vm_readv, getpid(), &to, 1UL, &from, 1UL, 0UL) != (long)byte_count)
      continue;
    if (memcmp(now, map->copy + at, byte_count) == 0) continue;
    memcpy(map->copy + at, now, byte_count);
    struct record record = {
      .kind = STORE, .file = map->file, .offset = map->offset + at, .length = byte_count};
    append(record, NULL, NULL, &to, 1);
  }
}

static void look_at_maps(void) {
  int saved = errno;
  for (int i = 0; i < MAPS_MAX; i++)
    if (maps[i].address) look(&maps[i]);
  errno = saved;
}

/* What a call wrote from `begin` to `end` is in the maps as well, and was no store. */
static void refresh_maps(uint64_t file, uint64_t begin, uint64_t end) {
  int saved = errno;
  for (int i = 0; i < MAPS_MAX; i++) {
    if (!maps[i].address || maps[i].file != file) continue;
    for (size_t at = 0; at < maps[i].byte_count; at += PAGE) {
      uint64_t page = maps[i].offset + at;
      uint64_t low = begin > page ? begin : page;
      uint64_t high = end < page + PAGE ? end : page + PAGE;
      if (low >= high) continue;
      size_t place = low - maps[i].offset, byte_count = high - low;
      struct iovec to = {maps[i].copy + place, byte_count};
      struct iovec from = {maps[i].address + place, byte_count};
      syscall(SYS_process_vm_readv, getpid(), &to, 1UL, &from, 1UL, 0UL);
    }
  }
  errno = saved;
}

/* ---- Begin and end --------------------------------------------------------------------------- */

static void read_plan(const char *name, struct plan *plan) {
  const char *text = getenv(name);
  plan->count = 1;
  if (!text) return;
  if (sscanf(text, "%23[^:]:%ld:%ld:%ld", plan->call, &plan->first, &plan->value, &plan->count) < 3)
    stop("shim: FAULT is call:n:errno[:count], SHORT is call:n:bytes\n");
}

static void begin(void) {
  const char *directory = getenv("FAULTS_ROOT"), *path = getenv("FAULTS_LOG");
  if (!directory) return;
  snprintf(root, sizeof root, "%s", directory);
  root_bytes = strlen(root);
  read_plan("FAULT", &fault);
  read_plan("SHORT", &shortened);
  kill_at = getenv("KILLAT") ? atol(getenv("KILLAT")) : 0;
  if (!path) return;
  int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  int descriptor = syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
  if (descriptor < 0) stop("shim: the log cannot be opened\n");
  /* Out of the way of the numbers that the program would get. */
  log_descriptor = syscall(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, 900);
  syscall(SYS_close, descriptor);
  if (log_descriptor < 0) stop("shim: no descriptor for the log\n");
  note((struct record){.kind = START}, NULL);
}

static int is_on(void) {
  pthread_once(&once, begin);
  return root_bytes > 0;
}

__attribute__((constructor)) static void at_start(void) { is_on(); }

/* Says how many calls there were to injure. */
__attribute__((destructor)) static void at_end(void) {
  if (!is_on()) return;
  pthread_mutex_lock(&lock);
  look_at_maps();
  note((struct record){.kind = END, .length = storage_calls, .offset = write_calls}, NULL);
  pthread_mutex_unlock(&lock);
}

/* ---- Which file ------------------------------------------------------------------------------ */

/* The path below the root, "" for the root itself; NULL for what is elsewhere. */
static const char *below_root(const char *path) {
  if (strncmp(path, root, root_bytes) != 0) return NULL;
  if (path[root_bytes] == 0) return path + root_bytes;
  return path[root_bytes] == '/' ? path + root_bytes + 1 : NULL;
}

/* Where a descriptor leads, if that is watched. */
static const char *watched(int descriptor, struct stat *status, char *buffer) {
  char link[64];
  int saved = errno;
  const char *name = NULL;
  if (!is_on() || descriptor < 0) return NULL;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  long byte_count = syscall(SYS_readlinkat, AT_FDCWD, link, buffer, PATH_MAX - 1);
  if (byte_count > 0) {
    buffer[byte_count] = 0;
    name = below_root(buffer);
    if (name && fstat(descriptor, status) != 0) name = NULL;
    if (name && !S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode)) name = NULL;
  }
  errno = saved;
  return name;
}

/* Where a path leads, if that is watched; its last component need not be there. */
static const char *watched_path(int directory, const char *path, char *buffer) {
  char start[PATH_MAX], parent[PATH_MAX], link[64];
  int saved = errno;
  if (!is_on() || !path || !*path) return NULL;
  if (path[0] == '/' || directory == AT_FDCWD) {
    snprintf(start, sizeof start, "%s", path);
  } else {
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    long byte_count = syscall(SYS_readlinkat, AT_FDCWD, link, parent, sizeof parent - 1);
    if (byte_count < 0) return NULL;
    parent[byte_count] = 0;
    if (snprintf(start, sizeof start, "%s/%s", parent, path) >= (int)sizeof start) return NULL;
  }
  size_t end = strlen(start);
  while (end > 1 && start[end - 1] == '/') start[--end] = 0;
  char *slash = strrchr(start, '/'), *last = slash ? slash + 1 : start;
  const char *where = slash == start ? "/" : slash ? start : ".";
  if (slash) *slash = 0;
  char *resolved = realpath(slash == start ? "/" : where, parent);
  errno = saved;
  if (!resolved) return NULL;
  if (snprintf(buffer, PATH_MAX, "%s/%s", strcmp(parent, "/") ? parent : "", last) >= PATH_MAX)
    return NULL;
  return below_root(buffer);
}

/* ---- What is injected ------------------------------------------------------------------------ */

/* Whether a plan names this call, and its turn has come. */
static int is_due(struct plan *plan, const char *call, int writes) {
  if (!plan->first) return 0;
  int is_named = !strcmp(plan->call, call) || !strcmp(plan->call, "any") ||
    (writes && !strcmp(plan->call, "writes"));
  if (!is_named) return 0;
  plan->seen++;
  return plan->seen >= plan->first && plan->seen < plan->first + plan->count;
}

/* Called under the lock, before each storage call. Returns the errno that it is to fail with, or 0. */
static int enter(const char *call, int writes) {
  look_at_maps();
  storage_calls++;
  write_calls += writes;
  if (kill_at && storage_calls >= kill_at) syscall(SYS_exit_group, STATUS_KILLED);
  if (!is_due(&fault, call, writes)) return 0;
  note((struct record){.kind = INJECTED, .error = fault.value}, call);
  return fault.value;
}

/* How much of a write is done. */
static size_t allowed(const char *call, size_t byte_count) {
  if (!is_due(&shortened, call, 1) || byte_count <= (size_t)shortened.value) return byte_count;
  note((struct record){.kind = INJECTED, .length = shortened.value}, call);
  return shortened.value;
}

static int fail(int error) {
  pthread_mutex_unlock(&lock);
  errno = error;
  return -1;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static ssize_t put(int descriptor, const struct iovec *parts, int count, off_t offset, int at) {
  struct iovec whole[count];
  memcpy(whole, parts, sizeof whole);
  if (!at) return syscall(SYS_writev, descriptor, whole, (long)count);
  return syscall(SYS_pwritev, descriptor, whole, (long)count, offset, 0L);
}

/* All calls that write data. `at`: at the offset, not at the descriptor's place. */
static ssize_t write_all(
    const char *call, int descriptor, const struct iovec *parts, int count, off_t offset, int at) {
  struct stat status;
  char buffer[PATH_MAX];
  const char *name = watched(descriptor, &status, buffer);
  if (!name && is_on() && descriptor == STDOUT_FILENO) {
    pthread_mutex_lock(&lock);
    look_at_maps();
    append((struct record){.kind = ACKNOWLEDGE}, NULL, NULL, parts, count);
    pthread_mutex_unlock(&lock);
  }
  if (!name) return put(descriptor, parts, count, offset, at);

  pthread_mutex_lock(&lock);
  int error = enter(call, 1);
  if (error) return fail(error);
  struct iovec taken[count];
  size_t wanted = 0;
  for (int i = 0; i < count; i++) wanted += parts[i].iov_len;
  size_t left = allowed(call, wanted);
  for (int i = 0; i < count; i++) {
    taken[i] = parts[i];
    if (taken[i].iov_len > left) taken[i].iov_len = left;
    left -= taken[i].iov_len;
  }
  int flags = syscall(SYS_fcntl, descriptor, F_GETFL, 0L);
  if (!at) {
    offset = syscall(SYS_lseek, descriptor, 0L, SEEK_CUR);
    if (flags & O_APPEND) offset = syscall(SYS_lseek, descriptor, 0L, SEEK_END);
  }
  ssize_t done = put(descriptor, taken, count, offset, at);
  if (done > 0) {
    struct record record = {
      .kind = WRITE, .file = status.st_ino, .offset = offset, .length = done,
      .flags = (flags & (O_DSYNC | O_SYNC)) != 0};
    append(record, NULL, NULL, taken, count);
    refresh_maps(status.st_ino, offset, offset + done);
  }
  pthread_mutex_unlock(&lock);
  return done;
}

EXPORT ssize_t write(int descriptor, const void *bytes, size_t count) {
  struct iovec part = {(void *)bytes, count};
  return write_all("write", descriptor, &part, 1, 0, 0);
}

EXPORT ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  return write_all("writev", descriptor, parts, count, 0, 0);
}

EXPORT ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  struct iovec part = {(void *)bytes, count};
  return write_all("pwrite", descriptor, &part, 1, offset, 1);
}

EXPORT ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  struct iovec part = {(void *)bytes, count};
  return write_all("pwrite", descriptor, &part, 1, offset, 1);
}

EXPORT ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
  return write_all("pwritev", descriptor, parts, count, offset, 1);
}

EXPORT ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset) {
  return write_all("pwritev", descriptor, parts, count, offset, 1);
}

/* Without the flags of pwritev2: none of them makes a write less durable. */
EXPORT ssize_t pwritev2(
    int descriptor, const struct iovec *parts, int count, off_t offset, int flags) {
  (void)flags;
  return write_all("pwritev", descriptor, parts, count, offset, offset != -1);
}

EXPORT ssize_t pwritev64v2(
    int descriptor, const struct iovec *parts, int count, off64_t offset, int flags) {
  return pwritev2(descriptor, parts, count, offset, flags);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

EXPORT int ftruncate(int descriptor, off_t byte_count) {
  struct stat status;
  char buffer[PATH_MAX];
  if (!watched(descriptor, &status, buffer))
    return syscall(SYS_ftruncate, descriptor, byte_count);
  pthread_mutex_lock(&lock);
  int error = enter("ftruncate", 0);
  if (error) return fail(error);
  int rc = syscall(SYS_ftruncate, descriptor, byte_count);
  if (rc == 0) {
    struct record record = {.kind = TRUNCATE, .file = status.st_ino, .length = byte_count};
    note(record, NULL);
    refresh_maps(status.st_ino, 0, UINT64_MAX);
  }
  pthread_mutex_unlock(&lock);
  return rc;
}

EXPORT int ftruncate64(int descriptor, off64_t byte_count) {
  return ftruncate(descriptor, byte_count);
}

static int allocate(const char *call, int descriptor, int mode, off_t offset, off_t byte_count) {
  struct stat status;
  char buffer[PATH_MAX];
  if (!watched(descriptor, &status, buffer))
    return syscall(SYS_fallocate, descriptor, mode, offset, byte_count);
  pthread_mutex_lock(&lock);
  int error = enter(call, 0);
  if (error) return fail(error);
  int rc = syscall(SYS_fallocate, descriptor, mode, offset, byte_count);
  if (rc == 0) {
    struct record record = {
      .kind = ALLOCATE, .file = status.st_ino, .offset = offset, .length = byte_count,
      .flags = mode};
    note(record, NULL);
    refresh_maps(status.st_ino, 0, UINT64_MAX);
  }
  pthread_mutex_unlock(&lock);
  return rc;
}

EXPORT int fallocate(int descriptor, int mode, off_t offset, off_t byte_count) {
  return allocate("fallocate", descriptor, mode, offset, byte_count);
}

EXPORT int fallocate64(int descriptor, int mode, off64_t offset, off64_t byte_count) {
  return allocate("fallocate", descriptor, mode, offset, byte_count);
}

EXPORT int posix_fallocate(int descriptor, off_t offset, off_t byte_count) {
  int saved = errno;
  int error = allocate("fallocate", descriptor, 0, offset, byte_count) == 0 ? 0 : errno;
  errno = saved;
  return error;
}

EXPORT int posix_fallocate64(int descriptor, off64_t offset, off64_t byte_count) {
  return posix_fallocate(descriptor, offset, byte_count);
}

/* ---- Opening --------------------------------------------------------------------------------- */

static int open_file(int directory, const char *path, int flags, mode_t mode) {
  struct stat before, after;
  char buffer[PATH_MAX], opened[PATH_MAX];
  const char *name = watched_path(directory, path, buffer);
  if (!name) return syscall(SYS_openat, directory, path, flags, mode);
  pthread_mutex_lock(&lock);
  int error = enter("open", 0);
  if (error) return fail(error);
  int existed = fstatat(directory, path, &before, 0) == 0;
  int descriptor = syscall(SYS_openat, directory, path, flags, mode);
  int saved = errno;
  if (descriptor >= 0 && watched(descriptor, &after, opened) && S_ISREG(after.st_mode)) {
    uint32_t how = (existed ? 0 : 1) | ((flags & O_TRUNC) && existed && before.st_size ? 2 : 0);
    struct record record = {
      .kind = OPEN, .file = after.st_ino, .length = after.st_size, .flags = how};
    note(record, below_root(opened));
    if (how & 2) refresh_maps(after.st_ino, 0, UINT64_MAX);
  }
  errno = saved;
  pthread_mutex_unlock(&lock);
  return descriptor;
}

#define MODE_OF(flags, mode) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list arguments; \
    va_start(arguments, flags); \
    mode = va_arg(arguments, unsigned); \
    va_end(arguments); \
  }

EXPORT int open(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_file(AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_file(AT_FDCWD, path, flags, mode);
}

EXPORT int openat(int directory, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_file(directory, path, flags, mode);
}

EXPORT int openat64(int directory, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_file(directory, path, flags, mode);
}

EXPORT int creat(const char *path, mode_t mode) {
  return open_file(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

EXPORT int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* ---- Names ----------------------------------------------------------------------------------- */

static int move(int from_directory, const char *from, int to_directory, const char *to, int flags) {
  char from_buffer[PATH_MAX], to_buffer[PATH_MAX];
  const char *from_name = watched_path(from_directory, from, from_buffer);
  const char *to_name = watched_path(to_directory, to, to_buffer);
  if (!from_name && !to_name)
    return syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
  pthread_mutex_lock(&lock);
  int error = enter("rename", 0);
  if (error) return fail(error);
  struct stat status;
  int is_followed = from_name && to_name && !(flags & ~1) &&
    fstatat(from_directory, from, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
  int rc = syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
  if (rc == 0 && is_followed)
    append(
      (struct record){.kind = RENAME, .file = status.st_ino}, from_name, to_name, NULL, 0);
  else if (rc == 0)
    note((struct record){.kind = OPAQUE}, "rename that is not of a file, or not within the root");
  pthread_mutex_unlock(&lock);
  return rc;
}

EXPORT int rename(const char *from, const char *to) {
  return move(AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int renameat(int from_directory, const char *from, int to_directory, const char *to) {
  return move(from_directory, from, to_directory, to, 0);
}

EXPORT int renameat2(
    int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
  return move(from_directory, from, to_directory, to, flags);
}

EXPORT int linkat(
    int from_directory, const char *from, int to_directory, const char *to, int flags) {
  char to_buffer[PATH_MAX];
  const char *name = watched_path(to_directory, to, to_buffer);
  if (!name) return syscall(SYS_linkat, from_directory, from, to_directory, to, flags);
  pthread_mutex_lock(&lock);
  int error = enter("link", 0);
  if (error) return fail(error);
  int rc = syscall(SYS_linkat, from_directory, from, to_directory, to, flags);
  struct stat status;
  if (rc == 0 && fstatat(to_directory, to, &status, AT_SYMLINK_NOFOLLOW) == 0)
    note((struct record){.kind = LINK, .file = status.st_ino}, name);
  pthread_mutex_unlock(&lock);
  return rc;
}

EXPORT int link(const char *from, const char *to) {
  return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int unlinkat(int directory, const char *path, int flags) {
  char buffer[PATH_MAX];
  const char *name = watched_path(directory, path, buffer);
  if (!name) return syscall(SYS_unlinkat, directory, path, flags);
  pthread_mutex_lock(&lock);
  int error = enter("unlink", 0);
  if (error) return fail(error);
  int rc = syscall(SYS_unlinkat, directory, path, flags);
  if (rc == 0) note((struct record){.kind = UNLINK}, name);
  pthread_mutex_unlock(&lock);
  return rc;
}

EXPORT int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

EXPORT int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

EXPORT int mkdirat(int directory, const char *path, mode_t mode) {
  char buffer[PATH_MAX];
  const char *name = watched_path(directory, path, buffer);
  if (!name) return syscall(SYS_mkdirat, directory, path, mode);
  pthread_mutex_lock(&lock);
  int error = enter("mkdir", 0);
  if (error) return fail(error);
  int rc = syscall(SYS_mkdirat, directory, path, mode);
  if (rc == 0) note((struct record){.kind = MKDIR}, name);
  pthread_mutex_unlock(&lock);
  return rc;
}

EXPORT int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* ---- Syncing --------------------------------------------------------------------------------- */

static int synchronize(const char *call, long number, int descriptor) {
  struct stat status;
  char buffer[PATH_MAX];
  const char *name = watched(descriptor, &status, buffer);
  if (!name) return syscall(number, descriptor);
  pthread_mutex_lock(&lock);
  int error = enter(call, 0);
  struct record record = {
    .kind = SYNC, .file = status.st_ino, .begun = records, .error = error,
    .flags = S_ISDIR(status.st_mode)};
  if (error) {
    note(record, name);
    return fail(error);
  }
  pthread_mutex_unlock(&lock);
  int rc = syscall(number, descriptor);
  if (rc != 0) return rc;
  pthread_mutex_lock(&lock);
  note(record, name);
  pthread_mutex_unlock(&lock);
  return 0;
}

EXPORT int fsync(int descriptor) { return synchronize("fsync", SYS_fsync, descriptor); }

EXPORT int fdatasync(int descriptor) {
  return synchronize("fdatasync", SYS_fdatasync, descriptor);
}

/* Promises nothing about a power cut: a call like any other, and no sync in the log. */
EXPORT int sync_file_range(int descriptor, off64_t offset, off64_t byte_count, unsigned flags) {
  struct stat status;
  char buffer[PATH_MAX];
  if (watched(descriptor, &status, buffer)) {
    pthread_mutex_lock(&lock);
    int error = enter("sync_file_range", 0);
    if (error) return fail(error);
    pthread_mutex_unlock(&lock);
  }
  return syscall(SYS_sync_file_range, descriptor, offset, byte_count, flags);
}

/* Syncs the whole of each mapped file, which is more than was asked where a map shows a part. */
EXPORT int msync(void *address, size_t byte_count, int flags) {
  if (!is_on()) return syscall(SYS_msync, address, byte_count, flags);
  pthread_mutex_lock(&lock);
  uint64_t files[MAPS_MAX];
  int count = 0;
  for (int i = 0; i < MAPS_MAX; i++)
    if (maps[i].address && (char *)address < maps[i].address + maps[i].byte_count &&
        maps[i].address < (char *)address + byte_count)
      files[count++] = maps[i].file;
  int error = count ? enter("msync", 0) : 0;
  for (int i = 0; i < count && (flags & MS_SYNC); i++) {
    struct record record = {
      .kind = SYNC, .file = files[i], .begun = records, .error = error};
    note(record, NULL);
  }
  if (error) return fail(error);
  pthread_mutex_unlock(&lock);
  return syscall(SYS_msync, address, byte_count, flags);
}

static int synchronize_all(long number, long descriptor) {
  if (!is_on()) return syscall(number, descriptor);
  pthread_mutex_lock(&lock);
  look_at_maps();
  struct record record = {.kind = SYNC_ALL, .begun = records};
  pthread_mutex_unlock(&lock);
  int rc = syscall(number, descriptor);
  pthread_mutex_lock(&lock);
  if (rc == 0) note(record, NULL);
  pthread_mutex_unlock(&lock);
  return rc;
}

EXPORT int syncfs(int descriptor) { return synchronize_all(SYS_syncfs, descriptor); }

EXPORT void sync(void) { synchronize_all(SYS_sync, 0); }

/* ---- Mapping --------------------------------------------------------------------------------- */

static void watch_map(char *address, size_t byte_count, int descriptor, off_t offset) {
  struct stat status;
  char buffer[PATH_MAX];
  const char *name = watched(descriptor, &status, buffer);
  if (!name || !S_ISREG(status.st_mode)) return;
  int saved = errno;
  size_t rounded = (byte_count + PAGE - 1) / PAGE * PAGE;
  pthread_mutex_lock(&lock);
  int i = 0;
  while (i < MAPS_MAX && maps[i].address) i++;
  if (byte_count > MAP_BYTES_MAX || i == MAPS_MAX) {
    note((struct record){.kind = OPAQUE, .file = status.st_ino}, "mmap for writing, too large");
  } else {
    maps[i] = (struct map){address, rounded, status.st_ino, offset, calloc(1, rounded)};
    refresh_maps(status.st_ino, 0, UINT64_MAX);
  }
  pthread_mutex_unlock(&lock);
  errno = saved;
}

EXPORT void *mmap(
    void *hint, size_t byte_count, int protection, int flags, int descriptor, off_t offset) {
  void *address = (void *)syscall(
    SYS_mmap, hint, byte_count, protection, flags, descriptor, offset);
  int is_shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
  if (address != MAP_FAILED && is_shared && !(flags & MAP_ANONYMOUS) && (protection & PROT_WRITE))
    watch_map(address, byte_count, descriptor, offset);
  return address;
}

EXPORT void *mmap64(
    void *hint, size_t byte_count, int protection, int flags, int descriptor, off64_t offset) {
  return mmap(hint, byte_count, protection, flags, descriptor, offset);
}

EXPORT int munmap(void *address, size_t byte_count) {
  if (is_on()) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAPS_MAX; i++) {
      if (!maps[i].address || maps[i].address < (char *)address ||
          maps[i].address >= (char *)address + byte_count)
        continue;
      look(&maps[i]);
      free(maps[i].copy);
      maps[i] = (struct map){0};
    }
    pthread_mutex_unlock(&lock);
  }
  return syscall(SYS_munmap, address, byte_count);
}

/* ---- What the replay cannot follow ----------------------------------------------------------- */

static void refuse(int descriptor, const char *call) {
  struct stat status;
  char buffer[PATH_MAX];
  if (!watched(descriptor, &status, buffer)) return;
  pthread_mutex_lock(&lock);
  note((struct record){.kind = OPAQUE, .file = status.st_ino}, call);
  pthread_mutex_unlock(&lock);
}

EXPORT ssize_t copy_file_range(
    int from, off64_t *from_offset, int to, off64_t *to_offset, size_t count, unsigned flags) {
  refuse(to, "copy_file_range");
  return syscall(SYS_copy_file_range, from, from_offset, to, to_offset, count, flags);
}

EXPORT ssize_t sendfile(int to, int from, off_t *offset, size_t count) {
  refuse(to, "sendfile");
  return syscall(SYS_sendfile, to, from, offset, count);
}

EXPORT ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) {
  return sendfile(to, from, offset, count);
}

/* By its path: as opened and cut. */
EXPORT int truncate(const char *path, off_t byte_count) {
  int descriptor = open(path, O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return -1;
  int rc = ftruncate(descriptor, byte_count);
  int saved = errno;
  syscall(SYS_close, descriptor);
  errno = saved;
  return rc;
}

EXPORT int truncate64(const char *path, off64_t byte_count) { return truncate(path, byte_count); }
