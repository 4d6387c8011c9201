/* Reads comma-separated values to the letter of RFC 4180. */
#ifndef SERVERY_FUZZ_CSV_REFERENCE_H
#define SERVERY_FUZZ_CSV_REFERENCE_H

#include "base/arena.h"

/* Takes the next cell off *rest; *ret_ends_row tells whether it is its row's last. What RFC 4180
 * does not allow ends the process. False at the end. */
bool csv_reference_read(struct arena *arena, struct str *rest, struct str *ret_cell,
                        bool *ret_ends_row);

#endif
