#ifndef TIDEMARK_CLMDB_SHIM_H
#define TIDEMARK_CLMDB_SHIM_H

#include <lmdb.h>

#if defined(__APPLE__)
#include <sys/mount.h>
#include <sys/param.h>
#elif defined(__linux__)
#include <sys/vfs.h>
#endif

/* What kind of file system holds the open file: 1 for one on another machine, 0 for a local one,
 * -1 where that cannot be told. Locks in shared memory do not reach across machines. */
static inline int clmdb_file_system_is_remote(int descriptor) {
#if defined(__APPLE__)
  struct statfs status;
  if (fstatfs(descriptor, &status) != 0) return -1;
  return (status.f_flags & MNT_LOCAL) == 0;
#elif defined(__linux__)
  struct statfs status;
  if (fstatfs(descriptor, &status) != 0) return -1;
  switch ((unsigned int)status.f_type) {
    case 0x6969u:      /* NFS */
    case 0x517Bu:      /* SMB */
    case 0xFF534D42u:  /* CIFS */
    case 0xFE534D42u:  /* SMB 2 */
    case 0x01021997u:  /* 9P */
    case 0x5346414Fu:  /* AFS */
    case 0x00C36400u:  /* Ceph */
      return 1;
    default:
      return 0;
  }
#else
  return -1;
#endif
}

#endif
