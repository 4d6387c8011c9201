/* What happens after a commit and before its callers are answered: the menu in memory follows the
 * database, open event streams get their events, the mail job wakes. */
#include "api/api.h"
#include "api/hub.h"
#include "api/menu.h"

/* More foods than this in one batch: all are read again. */
enum { FOODS_MAX = 256 };

/* Counts past FOODS_MAX without storing. */
static void add_once(int64_t ids[static FOODS_MAX], size_t *n, int64_t id)
{
    for (size_t i = 0; i < *n && i < FOODS_MAX; i++)
        if (ids[i] == id)
            return;
    if (*n < FOODS_MAX)
        ids[*n] = id;
    (*n)++;
}

void api_store_listener(void *ctx, const struct store_event *events, size_t n)
{
    struct api *api = ctx;
    int64_t foods[FOODS_MAX];
    size_t n_foods = 0;
    bool shop = false, mail = false, all = false;

    for (size_t i = 0; i < n; i++) {
        switch (events[i].kind) {
        case STORE_EVENT_FOOD:
            add_once(foods, &n_foods, events[i].id);
            break;
        case STORE_EVENT_SHOP:
            shop = true;
            break;
        case STORE_EVENT_OUTBOX:
            mail = true;
            break;
        case STORE_EVENT_ALL:
            all = shop = mail = true;
            break;
        case STORE_EVENT_ORDER:
        case STORE_EVENT_PAYMENT:
        case STORE_EVENT_SESSION_END:
        case STORE_EVENT_USER_END:
            break;
        }
    }
    if (all || n_foods > FOODS_MAX)
        menu_refresh_all(api->menu);
    else if (n_foods > 0)
        menu_refresh_foods(api->menu, foods, n_foods);
    if (shop)
        menu_refresh_shop(api->menu);
    hub_apply(api->hub, events, n);
    if (mail && api->mail_waits)
        api->mail_waits(api->mail_ctx);
}
