/* Short ways to place, pay and look at payments and orders, on top of the shop of shop_fixture.h.
 * After each test the invariants of the data are verified, as `servery check` does. */
#ifndef SERVERY_TESTS_STORE_PAY_FIXTURE_H
#define SERVERY_TESTS_STORE_PAY_FIXTURE_H

#include "shop_fixture.h"
#include "store/order.h"
#include "store/place.h"

#define PAY_HOLD_MS (15 * MINUTE_MS)

int pay_teardown(void **state);

#define PAY_TEST(test) SHOP_TEST_WITH(test, pay_teardown)

/* The line's quantity, edited (also to the same one); 0 takes it out. */
void pay_cart(struct shop_fixture *s, int64_t user_id, int64_t food_id, int64_t quantity);
int64_t pay_cart_quantity(struct shop_fixture *s, int64_t user_id, int64_t food_id);

/* A pickup with the local test provider, now. */
struct place pay_placing(struct shop_fixture *s, int64_t user_id);
enum err pay_place(struct shop_fixture *s, struct place *place);
enum err pay_again(struct shop_fixture *s, int64_t payment_id, struct place *place);

/* Places the cart, which must ask for a payment; its id. */
int64_t pay_pending(struct shop_fixture *s, int64_t user_id);
int64_t pay_remote(struct shop_fixture *s, int64_t user_id); /* creating, claimed */

struct payment pay_read(struct shop_fixture *s, int64_t payment_id);

/* News of the payment's own amount; the payment after it. */
struct payment pay_news(struct shop_fixture *s, int64_t payment_id, enum payment_news_kind kind,
                        int64_t now_ms);
struct payment pay_paid(struct shop_fixture *s, int64_t payment_id); /* now */

enum err pay_give_up(struct shop_fixture *s, int64_t payment_id, int64_t user_id, int64_t now_ms);

/* Cart, placing, paying: an order of this. */
int64_t pay_order(struct shop_fixture *s, int64_t user_id, int64_t food_id, int64_t quantity);

struct order pay_read_order(struct shop_fixture *s, int64_t order_id);
int64_t pay_count_orders(struct shop_fixture *s);

/* The same transaction function on `n` threads at once, each with its own argument. */
void pay_at_once(struct shop_fixture *s, tx_fn *fn, void *args, size_t arg_size, size_t n,
                 enum err *ret_results);

#define assert_status(payment, expected) assert_int_equal((payment).status, (expected))

#endif
