#include "app/demo.h"

#include "app/demo_menu.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "store/user.h"

struct fill {
    struct demo_menu menu;
    struct user_make_admin admin;
};

static enum err fill_empty(struct tx *tx, void *arg)
{
    struct fill *fill = arg;
    struct user_list users = {.before_id = ID_MAX + 1, .limit = 1};

    enum err err = tx_lock_subject(tx, STR("demo"), STR("fill"));
    if (!err)
        err = user_list(tx, &users);
    if (err || users.n > 0)
        return err;
    err = demo_menu_fill(tx, &fill->menu);
    if (!err)
        err = user_make_admin(tx, &fill->admin);
    return err;
}

enum err demo_fill(struct store *store, struct arena *arena)
{
    char hash[CRYPTO_PASSWORD_HASH_SIZE];
    int64_t now_ms = clock_now_ms();
    struct problem problem;
    struct user_codes codes;
    struct fill fill = {.menu = {.now_ms = now_ms, .problem = &problem},
                        .admin = {.email = STR(DEMO_ADMIN_EMAIL),
                                  .email_key = STR(DEMO_ADMIN_EMAIL),
                                  .codes = &codes,
                                  .problem = &problem,
                                  .now_ms = now_ms}};

    problem_init(&problem, arena);
    user_codes_draw(&codes);
    enum err err = crypto_password_hash(STR(DEMO_ADMIN_PASSWORD), hash);
    fill.admin.password_hash = str_from(hash);
    if (!err)
        err = store_write(store, arena, fill_empty, &fill);
    return err;
}
