#include "fault_vfs.h"

#include <sqlite3.h>
#include <stddef.h>

atomic_int fault_syncs, fault_writes, fault_write_code;

static const sqlite3_io_methods *real_methods;
static sqlite3_io_methods log_methods;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;

static int log_sync(sqlite3_file *file, int flags)
{
    int rc = real_methods->xSync(file, flags);

    if (atomic_load(&fault_syncs) == 0)
        return rc;
    atomic_fetch_sub(&fault_syncs, 1);
    return SQLITE_IOERR_FSYNC;
}

static int log_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    if (atomic_load(&fault_writes) == 0)
        return real_methods->xWrite(file, bytes, len, offset);
    atomic_fetch_sub(&fault_writes, 1);
    return atomic_load(&fault_write_code);
}

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    int rc = real_vfs->xOpen(self, name, file, flags, ret_flags);

    if (rc == SQLITE_OK && (flags & SQLITE_OPEN_WAL)) {
        real_methods = file->pMethods;
        log_methods = *real_methods;
        log_methods.xSync = log_sync;
        log_methods.xWrite = log_write;
        file->pMethods = &log_methods;
    }
    return rc;
}

void fault_vfs_install(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "fault";
    vfs.pNext = NULL;
    vfs.xOpen = open_file;
    sqlite3_vfs_register(&vfs, 1);
}
