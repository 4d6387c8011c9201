#include "store/session_alive.h"

/* So many with one statement; what is missing is asked as 0. */
enum { CHUNK = 20 };

enum err session_alive(struct tx *tx, void *arg)
{
    static const char find[] =
        "SELECT id FROM sessions WHERE expires_at > $1 AND id IN ($2, $3, $4, $5, $6, $7, $8, $9, "
        "$10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) ORDER BY id";
    struct session_alive *a = arg;
    struct sql_value values[CHUNK + 1] = {sql_int(a->now_ms)};
    enum err err = ERR_OK;

    for (size_t from = 0; from < a->n && !err; from += CHUNK) {
        size_t n = a->n - from < CHUNK ? a->n - from : CHUNK;
        struct sql_rows rows;
        for (size_t i = 0; i < CHUNK; i++)
            values[i + 1] = sql_int(i < n ? a->ids[from + i] : 0);
        err = tx_ask(tx, find, (struct sql_args){values, CHUNK + 1}, &rows);
        for (size_t i = 0, row = 0; i < n && !err; i++) {
            a->alive[from + i] = row < rows.n && sql_get_int(&rows, row, 0) == a->ids[from + i];
            row += a->alive[from + i];
        }
    }
    return err;
}
