/* What a function can report to its caller. Few codes on purpose: what the client must hear is in
 * a struct problem (problem.h), filled where it was detected; the codes only say who acts next. */
#ifndef SERVERY_BASE_ERR_H
#define SERVERY_BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum err {
    ERR_OK = 0,
    ERR_PROBLEM,     /* refused; the struct problem at hand says what and why */
    ERR_UNIQUE,      /* a unique index refused the row */
    ERR_STALE,       /* another row count than the stated one: the transaction must run again */
    ERR_UNAVAILABLE, /* full disk, full queue, lost connection, no answer: try later (503) */
    ERR_INTERNAL,    /* a bug or a broken installation; already logged (500) */
};

#endif
