#include "store/user.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "store/like.h"
#include "store/session.h"
#include "store/shop.h"

/* ---- Finding ---- */

#define USER_COLUMNS                                                                               \
    "id, email, email_key, phone, name, role, password_hash, referral_code, disabled, created_at"

static enum err read_user(const struct sql_rows *rows, size_t row, struct user *ret_user)
{
    struct user user = {
        .id = sql_get_int(rows, row, 0),
        .email = sql_get_str(rows, row, 1),
        .email_key = sql_get_str(rows, row, 2),
        .phone = sql_get_str(rows, row, 3),
        .name = sql_get_str(rows, row, 4),
        .password_hash = sql_get_str(rows, row, 6),
        .referral_code = sql_get_str(rows, row, 7),
        .disabled = sql_get_bool(rows, row, 8),
        .created_at_ms = sql_get_int(rows, row, 9),
    };
    if (!role_parse(sql_get_str(rows, row, 5), &user.role))
        return ERR_INTERNAL;
    *ret_user = user;
    return ERR_OK;
}

static enum err find_one(struct tx *tx, const char *sql, struct sql_value key,
                         struct user *ret_user)
{
    struct sql_rows rows = {0};

    if (key.type != SQL_NULL) {
        enum err err = tx_ask(tx, sql, SQL_ARGS(key), &rows);
        if (err)
            return err;
    }
    if (rows.n > 0)
        return read_user(&rows, 0, ret_user);
    *ret_user = (struct user){0};
    return ERR_OK;
}

enum err user_find(struct tx *tx, int64_t id, struct user *ret_user)
{
    static const char find[] = "SELECT " USER_COLUMNS " FROM users WHERE id = $1";
    return find_one(tx, find, sql_int(id), ret_user);
}

enum err user_find_by_email(struct tx *tx, struct str email_key, struct user *ret_user)
{
    static const char find[] = "SELECT " USER_COLUMNS " FROM users WHERE email_key = $1";
    return find_one(tx, find, sql_text(email_key), ret_user);
}

enum err user_find_by_phone(struct tx *tx, struct str phone, struct user *ret_user)
{
    static const char find[] = "SELECT " USER_COLUMNS " FROM users WHERE phone = $1";
    return find_one(tx, find, sql_text(phone), ret_user);
}

enum err user_find_by_referral_code(struct tx *tx, struct str code, struct user *ret_user)
{
    static const char find[] = "SELECT " USER_COLUMNS " FROM users WHERE referral_code = $1";
    return find_one(tx, find, sql_text(code), ret_user);
}

enum err user_get(struct tx *tx, void *arg)
{
    struct user_get *get = arg;
    return user_find(tx, get->user_id, &get->user);
}

/* ---- Making ---- */

void user_codes_draw(struct user_codes *ret_codes)
{
    for (size_t i = 0; i < USER_CODES; i++) {
        uint32_t random[REFERRAL_CODE_CHARS];
        for (size_t k = 0; k < REFERRAL_CODE_CHARS; k++)
            random[k] = crypto_random_below(REFERRAL_ALPHABET_CHARS);
        referral_code_format(random, ret_codes->texts[i]);
    }
}

static bool is_other(const struct sql_rows *rows, int64_t except_id)
{
    return rows->n > 0 && sql_get_int(rows, 0, 0) != except_id;
}

enum err user_check_free(struct tx *tx, struct str email_key, struct str phone, int64_t except_id,
                         struct problem *problem)
{
    static const char by_email[] = "SELECT id FROM users WHERE email_key = $1";
    static const char by_phone[] = "SELECT id FROM users WHERE phone = $1";
    struct sql_rows emails = {0}, phones = {0};
    enum err err = ERR_OK;
    bool taken = false;

    if (email_key.ptr)
        err = tx_ask_ahead(tx, by_email, SQL_ARGS(sql_text(email_key)), &emails);
    if (!err && phone.ptr)
        err = tx_ask_ahead(tx, by_phone, SQL_ARGS(sql_text(phone)), &phones);
    if (!err)
        err = tx_settle(tx);
    if (err)
        return err;
    if (is_other(&emails, except_id)) {
        problem_add(problem, "email", PROBLEM_EMAIL_TAKEN, NULL);
        taken = true;
    }
    if (is_other(&phones, except_id)) {
        problem_add(problem, "phone", PROBLEM_PHONE_TAKEN, NULL);
        taken = true;
    }
    return taken ? ERR_PROBLEM : ERR_OK;
}

/* What the admin's search looks in. */
static struct str search_key(struct arena *arena, struct str email, struct str name,
                             struct str phone)
{
    struct buf buf;

    buf_init(&buf, arena);
    buf_put_str(&buf, email);
    buf_put_char(&buf, '\n');
    buf_put_str(&buf, name);
    buf_put_char(&buf, '\n');
    buf_put_str(&buf, phone);
    return text_fold(arena, buf_str(&buf));
}

enum err user_insert(struct tx *tx, const struct user_new *user, struct problem *problem,
                     int64_t *ret_id)
{
    static const char insert[] =
        "INSERT INTO users (email, email_key, phone, name, search_key, role, password_hash, "
        "referral_code, referrer_id, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id";
    struct str key = search_key(tx_arena(tx), user->email, user->name, user->phone);
    struct sql_rows rows;

    for (size_t i = 0; i < USER_CODES; i++) {
        enum err err = tx_ask(
            tx, insert,
            SQL_ARGS(sql_text(user->email), sql_text(user->email_key), sql_text(user->phone),
                     sql_text(user->name), sql_text(key), sql_text(role_text(user->role)),
                     sql_text(user->password_hash), sql_text(str_from(user->codes->texts[i])),
                     user->referrer_id ? sql_int(user->referrer_id) : sql_null(),
                     sql_int(user->now_ms)),
            &rows);
        if (!err && rows.n == 0)
            err = user_check_free(tx, user->email_key, user->phone, 0, problem);
        if (err)
            return err;
        if (rows.n > 0) {
            *ret_id = sql_get_int(&rows, 0, 0);
            return ERR_OK;
        }
    }
    log_line(LOG_ERROR, "referral_codes_exhausted");
    return ERR_INTERNAL;
}

/* ---- Changing ---- */

enum err user_set_password(struct tx *tx, int64_t user_id, struct str password_hash,
                           int64_t keep_session_id)
{
    static const char set[] = "UPDATE users SET password_hash = $2 WHERE id = $1";
    static const char void_links[] =
        "UPDATE password_resets SET used = 1 WHERE user_id = $1 AND used = 0";
    enum err err = tx_post(tx, 1, set, SQL_ARGS(sql_int(user_id), sql_text(password_hash)));
    if (!err)
        err = tx_post(tx, SQL_ANY_COUNT, void_links, SQL_ARGS(sql_int(user_id)));
    return err ? err : session_end_all(tx, user_id, keep_session_id);
}

/* Writes everything of a user that he or an admin can change. */
static enum err save(struct tx *tx, const struct user *user)
{
    static const char update[] = "UPDATE users SET name = $2, phone = $3, search_key = $4, "
                                 "role = $5, disabled = $6 WHERE id = $1";
    return tx_post(
        tx, 1, update,
        SQL_ARGS(sql_int(user->id), sql_text(user->name), sql_text(user->phone),
                 sql_text(search_key(tx_arena(tx), user->email, user->name, user->phone)),
                 sql_text(role_text(user->role)), sql_bool(user->disabled)));
}

enum err user_edit(struct tx *tx, void *arg)
{
    struct user_edit *edit = arg;
    struct user *user = &edit->user;

    problem_reset(edit->problem);
    enum err err = tx_lock_user(tx, edit->user_id);
    if (!err)
        err = user_find(tx, edit->user_id, user);
    if (err)
        return err;
    if (user->id == 0)
        return problem_set(edit->problem, PROBLEM_NOT_FOUND, NULL);
    if (edit->name.set)
        user->name = edit->name.null ? STR_NONE : edit->name.value;
    if (edit->phone.set) {
        user->phone = edit->phone.null ? STR_NONE : edit->phone.value;
        err = user_check_free(tx, STR_NONE, user->phone, user->id, edit->problem);
        if (err)
            return err;
    }
    return save(tx, user);
}

static bool is_active_admin(const struct user *user)
{
    return user->role == ROLE_ADMIN && !user->disabled;
}

/* Two who take each other away come one after the other. */
static enum err check_not_last_admin(struct tx *tx, int64_t user_id, struct problem *problem)
{
    static const char find_other[] =
        "SELECT id FROM users WHERE role = 'admin' AND disabled = 0 AND id <> $1 LIMIT 1";
    struct sql_rows rows;

    enum err err = shop_lock(tx);
    if (!err)
        err = tx_ask(tx, find_other, SQL_ARGS(sql_int(user_id)), &rows);
    if (err)
        return err;
    return rows.n > 0
               ? ERR_OK
               : problem_set(problem, PROBLEM_LAST_ADMIN, "Make somebody else an admin first.");
}

enum err user_manage(struct tx *tx, void *arg)
{
    struct user_manage *manage = arg;
    struct user *user = &manage->user;

    problem_reset(manage->problem);
    enum err err = tx_lock_user(tx, manage->user_id);
    if (!err)
        err = user_find(tx, manage->user_id, user);
    if (err)
        return err;
    if (user->id == 0)
        return problem_set(manage->problem, PROBLEM_NOT_FOUND, NULL);

    struct user before = *user;
    if (manage->set_role)
        user->role = manage->role;
    if (manage->set_disabled)
        user->disabled = manage->disabled;
    if (manage->clear_phone)
        user->phone = STR_NONE;
    if (is_active_admin(&before) && !is_active_admin(user)) {
        err = check_not_last_admin(tx, user->id, manage->problem);
        if (err)
            return err;
    }
    err = save(tx, user);
    if (!err && (user->role != before.role || (user->disabled && !before.disabled)))
        err = session_end_all(tx, user->id, 0);
    return err;
}

enum err user_make_admin(struct tx *tx, void *arg)
{
    struct user_make_admin *make = arg;
    struct user *user = &make->user;
    struct user_new new = {.email = make->email,
                           .email_key = make->email_key,
                           .password_hash = make->password_hash,
                           .role = ROLE_ADMIN,
                           .codes = make->codes,
                           .now_ms = make->now_ms};

    problem_reset(make->problem);
    enum err err = user_find_by_email(tx, make->email_key, user);
    if (err)
        return err;
    make->created = user->id == 0;
    if (make->created) {
        int64_t id = 0;
        err = user_insert(tx, &new, make->problem, &id);
        return err ? err : user_find(tx, id, user);
    }
    err = tx_lock_user(tx, user->id);
    if (!err)
        err = user_find(tx, user->id, user);
    if (err)
        return err;
    user->role = ROLE_ADMIN;
    user->disabled = false;
    user->password_hash = make->password_hash;
    err = save(tx, user);
    return err ? err : user_set_password(tx, user->id, make->password_hash, 0);
}

/* ---- Lists ---- */

enum err user_list(struct tx *tx, void *arg)
{
    static const char list_all[] = "SELECT " USER_COLUMNS " FROM users WHERE id < $1 "
                                   "ORDER BY id DESC LIMIT $2";
    static const char list_found[] = "SELECT " USER_COLUMNS " FROM users WHERE id < $1 "
                                     "AND search_key LIKE $3 " LIKE_ESCAPE " "
                                     "ORDER BY id DESC LIMIT $2";
    struct user_list *list = arg;
    struct sql_value before = sql_int(list->before_id);
    struct sql_value limit = sql_int((int64_t)list->limit + 1);
    struct sql_rows rows;

    enum err err =
        list->needle.ptr
            ? tx_ask(tx, list_found,
                     SQL_ARGS(before, limit, sql_text(like_pattern(tx_arena(tx), list->needle))),
                     &rows)
            : tx_ask(tx, list_all, SQL_ARGS(before, limit), &rows);
    if (err)
        return err;
    list->more = rows.n > list->limit;
    list->n = list->more ? list->limit : rows.n;
    list->users = arena_alloc(tx_arena(tx), (list->n + 1) * sizeof(*list->users));
    for (size_t i = 0; i < list->n; i++) {
        err = read_user(&rows, i, &list->users[i]);
        if (err)
            return err;
    }
    return ERR_OK;
}

enum err user_referrals(struct tx *tx, void *arg)
{
    static const char count[] = "SELECT COUNT(*) FROM users WHERE referrer_id = $1";
    static const char list[] = "SELECT id, name, created_at FROM users "
                               "WHERE referrer_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    struct user_referrals *referrals = arg;
    struct sql_rows counted, rows;
    struct user user;

    enum err err = user_find(tx, referrals->user_id, &user);
    if (!err)
        err = tx_ask(tx, count, SQL_ARGS(sql_int(referrals->user_id)), &counted);
    if (!err)
        err = tx_ask(tx, list,
                     SQL_ARGS(sql_int(referrals->user_id), sql_int(referrals->before_id),
                              sql_int((int64_t)referrals->limit + 1)),
                     &rows);
    if (err)
        return err;
    referrals->referral_code = user.referral_code;
    referrals->count = sql_get_int(&counted, 0, 0);
    referrals->more = rows.n > referrals->limit;
    referrals->n = referrals->more ? referrals->limit : rows.n;
    referrals->items = arena_alloc(tx_arena(tx), (referrals->n + 1) * sizeof(*referrals->items));
    for (size_t i = 0; i < referrals->n; i++)
        referrals->items[i] = (struct user_referral){.user_id = sql_get_int(&rows, i, 0),
                                                     .name = sql_get_str(&rows, i, 1),
                                                     .joined_at_ms = sql_get_int(&rows, i, 2)};
    return ERR_OK;
}
