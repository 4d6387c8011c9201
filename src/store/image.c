#include "store/image.h"

enum err image_put(struct tx *tx, void *arg)
{
    /* That it is kept is written in any case: the sweeper that finds it released sees so in the row
     * itself, and never takes it away from the food that names it here. */
    static const char keep[] =
        "INSERT INTO images (hash, type, width, height, created_at, bytes) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (hash) DO UPDATE SET released_at = NULL";

    /* The food's former picture was let go of first, in food_edit: two admins who exchange the
     * pictures of two foods at once may wait for each other. They need not be kept from it by an
     * order: the engine runs one of them again, as store.h has it. */
    struct image_put *put = arg;
    put->edit.image_hash = (struct opt_str){.set = true, .value = put->hash};
    enum err err = food_edit(tx, &put->edit);
    if (err)
        return err;
    return tx_post(tx, 1, keep,
                   SQL_ARGS(sql_text(put->hash), sql_text(image_type_text(put->image.type)),
                            sql_int(put->image.width), sql_int(put->image.height),
                            sql_int(put->edit.now_ms), sql_blob(put->bytes)));
}

enum err image_remove(struct tx *tx, void *arg)
{
    struct food_edit *edit = arg;
    edit->image_hash = (struct opt_str){.set = true, .null = true};
    return food_edit(tx, edit);
}

enum err image_release(struct tx *tx, struct str hash, int64_t now_ms)
{
    static const char release[] = "UPDATE images SET released_at = $2 WHERE hash = $1";

    if (!hash.ptr)
        return ERR_OK;
    return tx_post(tx, SQL_ANY_COUNT, release, SQL_ARGS(sql_text(hash), sql_int(now_ms)));
}

enum err image_find(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT type, bytes FROM images WHERE hash = $1";

    struct image_find *find = arg;
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql, SQL_ARGS(sql_text(find->hash)), &rows);
    if (err)
        return err;
    find->found = rows.n > 0;
    if (find->found) {
        find->type = sql_get_str(&rows, 0, 0);
        find->bytes = sql_get_str(&rows, 0, 1);
    }
    return ERR_OK;
}
