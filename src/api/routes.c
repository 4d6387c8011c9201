/* THE route table: method, pattern, lane, body limit, access, flags, handler. */
#include "api/routes.h"

#include "api/handlers.h"
#include "domain/limits.h"

#define LOOP HTTP_LANE_LOOP, 0
#define READ HTTP_LANE_READ, 0
#define WRITE HTTP_LANE_WRITE, JSON_BODY_MAX_BYTES
#define DELETION HTTP_LANE_WRITE, 0
#define PICTURE HTTP_LANE_WRITE, IMAGE_MAX_BYTES
#define HASH HTTP_LANE_HASH, JSON_BODY_MAX_BYTES
#define HEALTH HTTP_LANE_HEALTH, 0
#define ALL ACCESS_PUBLIC
#define USER ACCESS_USER
#define ADMIN ACCESS_ADMIN
#define LIMITED ROUTE_AUTH_LIMITED
#define DEMO ROUTE_DEMO_ONLY
#define QUERY ROUTE_QUERY

const struct route ROUTES[] = {
    /* Accounts */
    {{HTTP_POST, "/api/signup", HASH}, ALL, LIMITED, signup_post},
    {{HTTP_POST, "/api/verify-otp", WRITE}, ALL, LIMITED, verify_otp_post},
    {{HTTP_POST, "/api/resend-otp", WRITE}, ALL, LIMITED, resend_otp_post},
    {{HTTP_POST, "/api/login", HASH}, ALL, 0, login_post},
    {{HTTP_POST, "/api/logout", WRITE}, USER, 0, logout_post},
    {{HTTP_GET, "/api/me", READ}, USER, 0, me_get},
    {{HTTP_PUT, "/api/me", WRITE}, USER, 0, me_put},
    {{HTTP_PUT, "/api/me/password", HASH}, USER, 0, me_password_put},
    {{HTTP_GET, "/api/me/referrals", READ}, USER, QUERY, me_referrals_get},
    {{HTTP_POST, "/api/password-reset", WRITE}, ALL, LIMITED, password_reset_post},
    {{HTTP_POST, "/api/password-reset/confirm", HASH}, ALL, LIMITED, password_reset_confirm_post},

    /* Menu */
    {{HTTP_GET, "/api/foods", LOOP}, ALL, QUERY, foods_get},
    {{HTTP_POST, "/api/foods", WRITE}, ADMIN, 0, foods_post},
    {{HTTP_GET, "/api/foods/{id}", LOOP}, ALL, 0, food_get},
    {{HTTP_PUT, "/api/foods/{id}", WRITE}, ADMIN, 0, food_put},
    {{HTTP_DELETE, "/api/foods/{id}", DELETION}, ADMIN, 0, food_delete},
    {{HTTP_PUT, "/api/foods/{id}/price", WRITE}, ADMIN, 0, food_price_put},
    {{HTTP_PUT, "/api/foods/{id}/availability", WRITE}, ADMIN, 0, food_availability_put},
    {{HTTP_PUT, "/api/foods/{id}/stock", WRITE}, ADMIN, 0, food_stock_put},
    {{HTTP_PUT, "/api/foods/{id}/image", PICTURE}, ADMIN, 0, food_image_put},
    {{HTTP_DELETE, "/api/foods/{id}/image", DELETION}, ADMIN, 0, food_image_delete},
    {{HTTP_GET, "/images/{name}", READ}, ALL, 0, image_get},
    {{HTTP_GET, "/api/categories", LOOP}, ALL, 0, categories_get},

    /* Cart */
    {{HTTP_GET, "/api/cart", READ}, USER, 0, cart_get},
    {{HTTP_DELETE, "/api/cart", DELETION}, USER, 0, cart_delete},
    {{HTTP_POST, "/api/cart/items", WRITE}, USER, 0, cart_items_post},
    {{HTTP_PUT, "/api/cart/items/{id}", WRITE}, USER, 0, cart_item_put},
    {{HTTP_DELETE, "/api/cart/items/{id}", DELETION}, USER, 0, cart_item_delete},

    /* Payment, then order */
    {{HTTP_GET, "/api/orders", READ}, USER, QUERY, orders_get},
    {{HTTP_POST, "/api/orders", WRITE}, USER, 0, orders_post},
    {{HTTP_GET, "/api/orders/{id}", READ}, USER, 0, order_get},
    {{HTTP_GET, "/api/orders/{id}/events", READ}, USER, 0, order_events_get},
    {{HTTP_PUT, "/api/orders/{id}/status", WRITE}, ADMIN, 0, order_status_put},
    {{HTTP_GET, "/api/payments/{id}", READ}, ALL, 0, payment_get},
    {{HTTP_DELETE, "/api/payments/{id}", DELETION}, USER, 0, payment_delete},
    {{HTTP_POST, "/api/payments/{id}/simulate", WRITE}, ALL, 0, payment_simulate_post},

    /* Admin */
    {{HTTP_GET, "/api/admin/orders", READ}, ADMIN, QUERY, admin_orders_get},
    {{HTTP_GET, "/api/admin/orders/events", READ}, ADMIN, 0, admin_orders_events_get},
    {{HTTP_GET, "/api/admin/orders.csv", READ}, ADMIN, QUERY, admin_orders_csv_get},
    {{HTTP_GET, "/api/admin/payments", READ}, ADMIN, QUERY, admin_payments_get},
    {{HTTP_PUT, "/api/admin/payments/{id}", WRITE}, ADMIN, 0, admin_payment_put},
    {{HTTP_POST, "/api/admin/payments/{id}/received", WRITE},
     ADMIN,
     0,
     admin_payment_received_post},
    {{HTTP_GET, "/api/admin/summary", READ}, ADMIN, QUERY, admin_summary_get},
    {{HTTP_GET, "/api/admin/users", READ}, ADMIN, QUERY, admin_users_get},
    {{HTTP_PUT, "/api/admin/users/{id}", WRITE}, ADMIN, 0, admin_user_put},

    /* The rest */
    {{HTTP_GET, "/api/shop", LOOP}, ALL, 0, shop_get},
    {{HTTP_PUT, "/api/shop", WRITE}, ADMIN, 0, shop_put},
    {{HTTP_GET, "/api/openapi.json", LOOP}, ALL, 0, openapi_get},
    {{HTTP_GET, "/healthz", LOOP}, ALL, 0, healthz_get},
    {{HTTP_GET, "/readyz", HEALTH}, ALL, 0, readyz_get},
    {{HTTP_GET, "/metrics", HEALTH}, ALL, 0, metrics_get},

    /* The pages: one file, whose script knows them apart */
    {{HTTP_GET, "/", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/cart", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/checkout", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/pay/{id}", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/orders", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/orders/{id}", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/login", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/signup", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/verify", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/forgot", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/reset", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/account", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/orders", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/orders/{id}", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/orders/{id}/ticket", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/orders/{id}/receipt", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/menu", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/menu/new", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/menu/{id}", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/customers", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/payments", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/sales", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/admin/settings", LOOP}, ALL, 0, page_get},
    {{HTTP_GET, "/manifest.webmanifest", LOOP}, ALL, 0, manifest_get},
    {{HTTP_GET, "/favicon.ico", LOOP}, ALL, 0, favicon_get},
    {{HTTP_GET, "/errors", LOOP}, ALL, 0, errors_page_get},
    {{HTTP_GET, "/docs", LOOP}, ALL, 0, docs_page_get},
    {{HTTP_GET, "/assets/{name}", LOOP}, ALL, 0, asset_get},
    {{HTTP_GET, "/dev/mail", READ}, ALL, DEMO, dev_mail_get},
    {{HTTP_GET, "/dev/mail.json", READ}, ALL, DEMO, dev_mail_json_get},
};

const size_t ROUTES_N = sizeof ROUTES / sizeof *ROUTES;
