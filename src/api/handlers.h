/* Every handler, in the order of the route table (api/routes.c). Each is in the file named by its
 * first word. */
#ifndef SERVERY_API_HANDLERS_H
#define SERVERY_API_HANDLERS_H

#include "api/call.h"

/* signup.c */
enum err signup_post(struct call *c);
enum err verify_otp_post(struct call *c);
enum err resend_otp_post(struct call *c);

/* login.c */
enum err login_post(struct call *c);
enum err logout_post(struct call *c);

/* me.c */
enum err me_get(struct call *c);
enum err me_put(struct call *c);
enum err me_referrals_get(struct call *c);

/* password.c */
enum err me_password_put(struct call *c);
enum err password_reset_post(struct call *c);
enum err password_reset_confirm_post(struct call *c);

/* foods.c */
enum err foods_get(struct call *c);
enum err foods_post(struct call *c);
enum err food_get(struct call *c);
enum err food_put(struct call *c);
enum err food_delete(struct call *c);
enum err food_price_put(struct call *c);
enum err food_availability_put(struct call *c);
enum err food_stock_put(struct call *c);
enum err categories_get(struct call *c);

/* images.c */
enum err food_image_put(struct call *c);
enum err food_image_delete(struct call *c);
enum err image_get(struct call *c);

/* cart.c */
enum err cart_get(struct call *c);
enum err cart_delete(struct call *c);
enum err cart_items_post(struct call *c);
enum err cart_item_put(struct call *c);
enum err cart_item_delete(struct call *c);

/* orders.c */
enum err orders_get(struct call *c);
enum err orders_post(struct call *c);
enum err order_get(struct call *c);
enum err order_status_put(struct call *c);

/* events.c */
enum err order_events_get(struct call *c);

/* payments.c */
enum err payment_get(struct call *c);
enum err payment_delete(struct call *c);
enum err payment_simulate_post(struct call *c);

/* admin_orders.c, admin_events.c, admin_csv.c, admin_payments.c, admin_summary.c, admin_users.c */
enum err admin_orders_get(struct call *c);
enum err admin_orders_events_get(struct call *c);
enum err admin_orders_csv_get(struct call *c);
enum err admin_payments_get(struct call *c);
enum err admin_payment_put(struct call *c);
enum err admin_payment_received_post(struct call *c);
enum err admin_summary_get(struct call *c);
enum err admin_users_get(struct call *c);
enum err admin_user_put(struct call *c);

/* shop.c */
enum err shop_get(struct call *c);
enum err shop_put(struct call *c);

/* meta.c */
enum err healthz_get(struct call *c);
enum err readyz_get(struct call *c);

/* metrics.c */
enum err metrics_get(struct call *c);

/* pages.c */
enum err page_get(struct call *c);
enum err manifest_get(struct call *c);
enum err favicon_get(struct call *c);
enum err errors_page_get(struct call *c);
enum err docs_page_get(struct call *c);
enum err asset_get(struct call *c);
enum err openapi_get(struct call *c);

/* dev.c, demo only */
enum err dev_mail_get(struct call *c);
enum err dev_mail_json_get(struct call *c);

#endif
