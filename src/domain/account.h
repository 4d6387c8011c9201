/* Rules of accounts: emails, phones, passwords, codes. Pure; randomness is an argument. */
#ifndef SERVERY_DOMAIN_ACCOUNT_H
#define SERVERY_DOMAIN_ACCOUNT_H

#include "base/problem.h"
#include "domain/limits.h"

enum role { ROLE_USER, ROLE_ADMIN };
struct str role_text(enum role role);
bool role_parse(struct str text, enum role *ret_role);

/* Checks an address by the HTML standard's rule for `<input type=email>` (RFC 5322's addr-spec
 * without quoted strings, comments and address literals), which lets an address without a dot in
 * its domain pass; and by the lengths of SMTP: at most 254 characters, 64 before the @, 63 in each
 * label of the domain. Spaces and tabs around it are dropped. An internationalized address is
 * refused in this version; its domain can be given in its ASCII form ("xn--…").
 * `ret_email` is as typed, `ret_key` in lower case, by which emails compare. */
bool email_normalize(struct arena *arena, struct str typed, struct str *ret_email,
                     struct str *ret_key);

/* To E.164: "+" and 8 to 15 digits, the first not 0. Spaces, dashes, dots and brackets are dropped,
 * 00 at the start means +, and a national number, known by its leading 0, gets `country_code`
 * ("234") instead of that 0. In an international number "(0)" is the 0 dialled only inside the
 * country, and dropped; so is, where the number is of `country_code`, the bare 0 that people leave
 * in ("+234 0803…"), so that one telephone has one form. Where numbers themselves begin with 0
 * (Italy) every 0 is kept, in the national form too. A number with neither + nor 0 in front is
 * refused, because which of the two it is can only be guessed. */
bool phone_normalize(struct arena *arena, struct str typed, struct str country_code,
                     struct str *ret_e164);

/* Whether it can be a country code: 1 to 3 digits, the first not 0, without "+". */
bool country_code_is_well_formed(struct str country_code);

/* Adds password_too_short or password_too_long to the problem as a row of `field`; invalid_value
 * for bytes that are not UTF-8, with which nobody could log in. The lower limit counts characters,
 * the upper one bytes. Nothing is trimmed. */
MUST_CHECK enum err password_check(struct str password, const char *field, struct problem *problem);

/* Six digits of `random`, which is below OTP_VALUES; uniform if it is. Returns the view of text. */
struct str otp_format(uint32_t random, char text[static OTP_DIGITS + 1]);
bool otp_is_well_formed(struct str otp);

/* Eight characters without look-alikes (no 0 O 1 I L) from eight values below
 * REFERRAL_ALPHABET_CHARS, one each; uniform if they are (crypto_random_below draws such). Returns
 * the view of text. */
struct str referral_code_format(const uint32_t random[static REFERRAL_CODE_CHARS],
                                char text[static REFERRAL_CODE_CHARS + 1]);

/* As typed to the stored form (upper case, spaces and dashes dropped); false if it cannot be one,
 * and what text then holds is unspecified. */
bool referral_code_normalize(struct str typed, char text[static REFERRAL_CODE_CHARS + 1]);

#endif
