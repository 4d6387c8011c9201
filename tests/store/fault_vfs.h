/* An SQLite file layer that fails when told to: the real one with other answers for the write-ahead
 * log. Installed as the default, before a store is opened. */
#ifndef SERVERY_TESTS_STORE_FAULT_VFS_H
#define SERVERY_TESTS_STORE_FAULT_VFS_H

#include <stdatomic.h>

/* So many of the next syncs or writes of the log fail. A failing sync comes after the data was
 * written, as with a disk that fails late; a failing write writes nothing. */
extern atomic_int fault_syncs, fault_writes;
extern atomic_int fault_write_code; /* SQLITE_FULL or an SQLITE_IOERR_… */

void fault_vfs_install(void);

#endif
