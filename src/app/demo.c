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
    bool empty;

    enum err err = user_none_exist(tx, &empty);
    if (err || !empty)
        return err;
    err = demo_menu_fill(tx, &fill->menu);
    if (!err)
        err = user_make_admin(tx, &fill->admin);
    return err;
}

enum err demo_fill(struct store *store, struct arena *arena)
{
    char hash[CRYPTO_PASSWORD_HASH_SIZE];
    struct fill fill = {.menu = {.now_ms = clock_now_ms()},
                        .admin = {.email = STR(DEMO_ADMIN_EMAIL),
                                  .email_key = STR(DEMO_ADMIN_EMAIL),
                                  .password_hash = hash,
                                  .now_ms = clock_now_ms()}};

    user_draw_referral_codes(fill.admin.referral_codes);
    enum err err = crypto_password_hash(STR(DEMO_ADMIN_PASSWORD), hash);
    if (!err)
        err = store_write(store, arena, fill_empty, &fill);
    return err;
}
