/* The foods table: read for the menu, edited by admins, its stock moved by orders. Only the three
 * functions at the end change what an order takes, so foods.taken has one home. */
#include "store/food.h"

#include "domain/limits.h"
#include "store/image.h"

#define COLUMNS                                                                                    \
    "id, name, description, category, image_hash, price, available, archived, stock, version, "    \
    "created_at, updated_at"

static void from_row(const struct sql_rows *rows, size_t row, struct food *ret_food)
{
    *ret_food = (struct food){
        .id = sql_get_int(rows, row, 0),
        .name = sql_get_str(rows, row, 1),
        .description = sql_get_str(rows, row, 2),
        .category = sql_get_str(rows, row, 3),
        .image_hash = sql_get_str(rows, row, 4),
        .price = sql_get_int(rows, row, 5),
        .available = sql_get_bool(rows, row, 6),
        .archived = sql_get_bool(rows, row, 7),
        .stock_counted = !sql_is_null(rows, row, 8),
        .stock = sql_get_int(rows, row, 8),
        .version = sql_get_int(rows, row, 9),
        .created_at_ms = sql_get_int(rows, row, 10),
        .updated_at_ms = sql_get_int(rows, row, 11),
    };
}

static void emit(struct tx *tx, int64_t id)
{
    tx_emit(tx, (struct store_event){.kind = STORE_EVENT_FOOD, .id = id});
}

/* ---- Reading ---- */

enum err food_find(struct tx *tx, int64_t id, struct food *ret_food, bool *ret_found)
{
    static const char find[] = "SELECT " COLUMNS " FROM foods WHERE id = $1";

    struct sql_rows rows;
    enum err err = tx_ask(tx, find, SQL_ARGS(sql_int(id)), &rows);
    if (err)
        return err;
    *ret_found = rows.n > 0;
    if (rows.n > 0)
        from_row(&rows, 0, ret_food);
    return ERR_OK;
}

enum err food_find_all(struct tx *tx, const int64_t *ids, size_t n, struct food **ret_foods)
{
    static const char find[] =
        "SELECT " COLUMNS " FROM foods WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
        "$12, $13, $14, $15, $16, $17, $18, $19, $20)";
    enum { CHUNK = 20 }; /* so many with one statement; what is missing is asked as 0 */
    struct food *foods = arena_alloc(tx_arena(tx), (n + 1) * sizeof *foods);
    size_t n_chunks = (n + CHUNK - 1) / CHUNK;
    struct sql_rows *rows = arena_alloc(tx_arena(tx), (n_chunks + 1) * sizeof *rows);
    struct sql_value values[CHUNK];
    enum err err = ERR_OK;

    for (size_t i = 0; i < n_chunks && !err; i++) {
        for (size_t k = 0; k < CHUNK; k++)
            values[k] = sql_int(i * CHUNK + k < n ? ids[i * CHUNK + k] : 0);
        err = tx_ask_ahead(tx, find, (struct sql_args){values, CHUNK}, &rows[i]);
    }
    if (!err)
        err = tx_settle(tx);
    for (size_t i = 0; i < n && !err; i++) {
        const struct sql_rows *chunk = &rows[i / CHUNK];
        foods[i] = (struct food){.id = ids[i], .archived = true};
        for (size_t row = 0; row < chunk->n; row++)
            if (sql_get_int(chunk, row, 0) == ids[i])
                from_row(chunk, row, &foods[i]);
    }
    *ret_foods = foods;
    return err;
}

enum err food_read_all(struct tx *tx, struct food **ret_foods, size_t *ret_n)
{
    static const char read_all[] = "SELECT " COLUMNS " FROM foods WHERE archived = 0";

    struct sql_rows rows;
    enum err err = tx_ask(tx, read_all, SQL_NO_ARGS, &rows);
    if (err)
        return err;
    struct food *foods = arena_alloc(tx_arena(tx), rows.n * sizeof(*foods));
    for (size_t i = 0; i < rows.n; i++)
        from_row(&rows, i, &foods[i]);
    *ret_foods = foods;
    *ret_n = rows.n;
    return ERR_OK;
}

enum err food_exists(struct tx *tx, bool *ret_exists)
{
    static const char any[] = "SELECT id FROM foods LIMIT 1";

    struct sql_rows rows;
    enum err err = tx_ask(tx, any, SQL_NO_ARGS, &rows);
    if (err)
        return err;
    *ret_exists = rows.n > 0;
    return ERR_OK;
}

/* ---- Edits by an admin ---- */

enum err food_create(struct tx *tx, void *arg)
{
    static const char insert[] =
        "INSERT INTO foods "
        "(name, description, category, price, available, stock, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING " COLUMNS;

    struct food_edit *edit = arg;
    bool counted = edit->stock.set && !edit->stock.null;
    struct sql_rows rows;
    enum err err =
        tx_ask(tx, insert,
               SQL_ARGS(sql_text(edit->name.value),
                        sql_text(edit->description.set ? edit->description.value : STR("")),
                        sql_text(edit->category.set ? edit->category.value : FOOD_CATEGORY_DEFAULT),
                        sql_int(edit->price.value),
                        sql_bool(edit->available.set ? edit->available.value : true),
                        counted ? sql_int(edit->stock.value) : sql_null(), sql_int(edit->now_ms)),
               &rows);
    if (err)
        return err;
    from_row(&rows, 0, &edit->food);
    emit(tx, edit->food.id);
    return ERR_OK;
}

/* The food that is to be edited; refused if it is not on the menu or has another version. */
static enum err find_to_edit(struct tx *tx, struct food_edit *edit)
{
    bool found;
    enum err err = food_find(tx, edit->food_id, &edit->food, &found);
    if (err)
        return err;
    if (!found || edit->food.archived)
        return problem_set(edit->problem, PROBLEM_FOOD_NOT_FOUND, NULL);
    if (edit->version.set && edit->version.value != edit->food.version)
        return problem_printf(edit->problem, PROBLEM_VERSION_CONFLICT,
                              "The food has version %lld now.", (long long)edit->food.version);
    return ERR_OK;
}

static enum err check_stock_add(const struct food_edit *edit)
{
    if (!edit->food.stock_counted)
        return problem_set(edit->problem, PROBLEM_STOCK_NOT_COUNTED,
                           "Set the stock to a number first.");
    int64_t sum = edit->food.stock + edit->stock_add.value;
    if (sum < 0 || sum > STOCK_MAX)
        return problem_add(edit->problem, "add", PROBLEM_OUT_OF_RANGE,
                           "The stock would leave 0 to 1000000000.");
    return ERR_OK;
}

/* The picture that the food will name; STR_NONE: none. */
static struct str new_image(const struct food_edit *edit)
{
    if (!edit->image_hash.set)
        return edit->food.image_hash;
    return edit->image_hash.null ? STR_NONE : edit->image_hash.value;
}

static bool changes_anything(const struct food_edit *edit)
{
    /* To take away the picture of a food that has none is no change. */
    if (edit->image_hash.set && (!edit->image_hash.null || edit->food.image_hash.ptr))
        return true;
    return edit->name.set || edit->description.set || edit->category.set || edit->price.set ||
           edit->available.set || edit->stock.set || edit->stock_add.set;
}

enum err food_edit(struct tx *tx, void *arg)
{
    /* Orders move the stock all the time: what is not set absolutely moves by a difference. */
    static const char update[] =
        "UPDATE foods SET name = $2, description = $3, category = $4, price = $5, "
        "available = $6, "
        "stock = CASE WHEN CAST($7 AS BIGINT) = 1 THEN CAST($8 AS BIGINT) ELSE stock + $9 END, "
        "image_hash = $13, version = version + 1, updated_at = $10 "
        "WHERE id = $1 AND archived = 0 AND version = $11 "
        "AND (CAST($9 AS BIGINT) = 0 OR stock + $9 BETWEEN 0 AND $12) RETURNING " COLUMNS;

    struct food_edit *edit = arg;
    enum err err = find_to_edit(tx, edit);
    if (!err && edit->stock_add.set)
        err = check_stock_add(edit);
    if (err || !changes_anything(edit))
        return err;

    const struct food *old = &edit->food;
    struct str image = new_image(edit), old_image = old->image_hash;
    bool counted = edit->stock.set && !edit->stock.null;
    struct sql_rows rows;
    err = tx_ask(
        tx, update,
        SQL_ARGS(sql_int(edit->food_id), sql_text(edit->name.set ? edit->name.value : old->name),
                 sql_text(edit->description.set ? edit->description.value : old->description),
                 sql_text(edit->category.set ? edit->category.value : old->category),
                 sql_int(edit->price.set ? edit->price.value : old->price),
                 sql_bool(edit->available.set ? edit->available.value : old->available),
                 sql_bool(edit->stock.set), counted ? sql_int(edit->stock.value) : sql_null(),
                 sql_int(edit->stock_add.set ? edit->stock_add.value : 0), sql_int(edit->now_ms),
                 sql_int(old->version), sql_int(STOCK_MAX), sql_text(image)),
        &rows);
    if (err)
        return err;
    if (rows.n == 0)
        return ERR_STALE;
    from_row(&rows, 0, &edit->food);
    emit(tx, edit->food_id);
    return str_eq(image, old_image) ? ERR_OK : image_release(tx, old_image, edit->now_ms);
}

enum err food_archive(struct tx *tx, void *arg)
{
    static const char archive[] =
        "UPDATE foods SET archived = 1, image_hash = NULL, version = version + 1, "
        "updated_at = $2 WHERE id = $1 AND archived = 0";

    struct food_edit *edit = arg;
    enum err err = find_to_edit(tx, edit);
    if (!err)
        err = tx_post(tx, 1, archive, SQL_ARGS(sql_int(edit->food_id), sql_int(edit->now_ms)));
    if (!err)
        err = image_release(tx, edit->food.image_hash, edit->now_ms);
    if (!err)
        emit(tx, edit->food_id);
    return err;
}

/* ---- What orders do ---- */

enum err food_take_late(struct tx *tx, int64_t food_id, int64_t units)
{
    return food_move_late(tx, food_id, units, 0);
}

enum err food_give_back_late(struct tx *tx, int64_t food_id, int64_t units)
{
    return food_move_late(tx, food_id, 0, units);
}

enum err food_move_late(struct tx *tx, int64_t food_id, int64_t take, int64_t give)
{
    /* NULL >= anything is no truth, so a food that is not counted is never taken from. */
    static const char take_net[] =
        "UPDATE foods SET stock = stock - $2, taken = taken + $2 "
        "WHERE id = $1 AND archived = 0 AND available = 1 AND stock >= $2";
    /* And NULL plus units stays NULL: what is no longer counted gets nothing back. */
    static const char give_back[] = "UPDATE foods SET stock = stock + $2, taken = taken - $2 "
                                    "WHERE id = $1 AND taken >= $2";

    if (take == give)
        return ERR_OK;
    enum err err =
        take > 0 ? tx_late(tx, food_id, take_net, SQL_ARGS(sql_int(food_id), sql_int(take - give)))
                 : tx_late(tx, food_id, give_back, SQL_ARGS(sql_int(food_id), sql_int(give)));
    if (!err)
        emit(tx, food_id);
    return err;
}
