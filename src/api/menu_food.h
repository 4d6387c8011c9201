/* The parts of the menu's snapshots, for menu.c alone: everybody else includes api/menu.h. */
#ifndef SERVERY_API_MENU_FOOD_H
#define SERVERY_API_MENU_FOOD_H

#include "api/menu.h"

/* On the heap with one reference; nothing of `food` is kept. The arena is for the making. */
struct menu_food *menu_food_create(struct arena *arena, const struct food *food);
struct menu_food *menu_food_ref(struct menu_food *food);
void menu_food_unref(struct menu_food *food); /* NULL is fine */

/* JSON as content with its ETag; one reference, the caller's. */
struct http_content *menu_json_content(struct arena *arena, struct str json);

/* Puts `made` into the empty slot, which takes its reference; or drops it because another thread
 * was quicker. Returns what stands in the slot. */
struct http_content *menu_publish_content(struct http_content **slot, struct http_content *made);

#endif
