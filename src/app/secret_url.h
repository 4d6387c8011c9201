/* A setting that is a URL, shown without the passwords in it. */
#ifndef SERVERY_APP_SECRET_URL_H
#define SERVERY_APP_SECRET_URL_H

/* To standard output, each password as ***: a user's, and a parameter's of the database. Of a URL
 * that could be read in two ways more may be hidden, never less. */
void secret_url_print(const char *url);

#endif
