/* A whole shop inside the process, for calls without a socket: the real store on a file, the sample
 * menu, an admin and two customers with sessions, the hub, the menu in memory, the test provider.
 *
 * It is the same shop before each input: its tables are put back, the clock stands where it stood,
 * and the random numbers begin anew, so that an input that fails does so again. Three functions are
 * replaced when the target is linked: the wall clock; Argon2id's cost, which is the least that
 * there is; and the hash that is compared where there is no user, made with that cost. */
#ifndef SERVERY_FUZZ_API_SHOP_H
#define SERVERY_FUZZ_API_SHOP_H

#include "api/api.h"

enum { SHOP_WORD_CHARS = 12 };

struct api_shop {
    struct api api;
    struct arena *arena; /* of this input */
    size_t n_words;
    struct shop_word { /* what stands in an input as $name */
        char name[SHOP_WORD_CHARS];
        struct str value;
    } words[24];
};

struct api_shop *api_shop_open(void); /* once; ended with the process */
void api_shop_reset(struct api_shop *shop);
void api_shop_pass(int64_t ms); /* moves the clock on */
void api_shop_take_mails(
    struct api_shop *shop);                 /* what the mail job does; learns $otp and $reset */
void api_shop_check(struct api_shop *shop); /* as `servery check` does */

/* Sets what $name stands for, copied; NULL and STR_NONE are passed over. */
void api_shop_learn(struct api_shop *shop, const char *name, struct str value);
/* With every $name that is known replaced by what it stands for. */
struct str api_shop_fill(struct api_shop *shop, struct str text);

#endif
