/* The shop's one row. */
#include "store/shop.h"

enum err shop_read(struct tx *tx, struct shop *ret_shop)
{
    static const char read[] = "SELECT name, currency, country_code, timezone, "
                               "payment_instructions FROM shop WHERE id = 1";

    struct sql_rows rows;
    enum err err = tx_ask(tx, read, SQL_NO_ARGS, &rows);
    if (err)
        return err;
    if (rows.n != 1)
        return ERR_INTERNAL;
    *ret_shop = (struct shop){
        .name = sql_get_str(&rows, 0, 0),
        .currency = sql_get_str(&rows, 0, 1),
        .country_code = sql_get_str(&rows, 0, 2),
        .timezone = sql_get_str(&rows, 0, 3),
        .payment_instructions = sql_get_str(&rows, 0, 4),
    };
    return ERR_OK;
}

enum err shop_lock(struct tx *tx)
{
    return tx_lock_subject(tx, STR("shop"), STR("settings"));
}

enum err shop_sold_ahead(struct tx *tx, struct sql_rows *ret_rows)
{
    static const char sql[] = "SELECT id FROM orders UNION ALL SELECT id FROM payments LIMIT 1";
    return tx_ask_ahead(tx, sql, SQL_NO_ARGS, ret_rows);
}

enum err shop_read_locked(struct tx *tx, struct shop *ret_shop)
{
    enum err err = shop_lock(tx);
    return err ? err : shop_read(tx, ret_shop);
}

/* Amounts are stored without their currency's name on carts and foods: another currency would turn
 * every amount a customer has agreed to into a different one. */
static enum err check_currency_is_free(struct tx *tx, struct problem *problem)
{
    struct sql_rows rows;
    enum err err = shop_sold_ahead(tx, &rows);
    if (!err)
        err = tx_settle(tx);
    if (!err && rows.n > 0)
        return problem_set(problem, PROBLEM_CURRENCY_IN_USE,
                           "There are payments or orders in the present currency.");
    return err;
}

static void set(struct str *member, struct opt_str value)
{
    if (value.set)
        *member = value.value;
}

enum err shop_edit(struct tx *tx, void *arg)
{
    static const char update[] = "UPDATE shop SET name = $1, currency = $2, country_code = $3, "
                                 "timezone = $4, payment_instructions = $5 WHERE id = 1";

    struct shop_edit *edit = arg;
    struct shop *shop = &edit->shop;
    enum err err = shop_read_locked(tx, shop);
    if (err)
        return err;
    if (edit->currency.set && !str_eq(edit->currency.value, shop->currency)) {
        err = check_currency_is_free(tx, edit->problem);
        if (err)
            return err;
    }
    set(&shop->name, edit->name);
    set(&shop->currency, edit->currency);
    set(&shop->country_code, edit->country_code);
    set(&shop->timezone, edit->timezone);
    set(&shop->payment_instructions, edit->payment_instructions);
    err = tx_post(tx, 1, update,
                  SQL_ARGS(sql_text(shop->name), sql_text(shop->currency),
                           sql_text(shop->country_code), sql_text(shop->timezone),
                           sql_text(shop->payment_instructions)));
    if (!err)
        tx_emit(tx, (struct store_event){.kind = STORE_EVENT_SHOP});
    return err;
}

enum err shop_secret(struct tx *tx, void *arg)
{
    static const char read[] = "SELECT secret_print FROM shop WHERE id = 1";
    static const char write[] = "UPDATE shop SET secret_print = $1 WHERE id = 1";
    static const char end_sessions[] = "DELETE FROM sessions";

    struct shop_secret *secret = arg;
    struct sql_rows rows;
    enum err err = shop_lock(tx);
    if (!err)
        err = tx_ask(tx, read, SQL_NO_ARGS, &rows);
    if (err)
        return err;
    bool first = sql_is_null(&rows, 0, 0);
    secret->matches = first || str_eq(sql_get_str(&rows, 0, 0), secret->print);
    if (!first && (secret->matches || !secret->accept))
        return ERR_OK;
    if (!secret->matches)
        err = tx_post(tx, SQL_ANY_COUNT, end_sessions, SQL_NO_ARGS);
    if (!err)
        err = tx_post(tx, 1, write, SQL_ARGS(sql_blob(secret->print)));
    secret->matches = true;
    return err;
}
