/* The sample menu: a Nigerian kitchen with prices in kobo. Among the 24 dishes are counted ones, a
 * sold-out one, one that the kitchen has switched off and one that costs nothing, so that every
 * state of a dish can be seen. */
#include "app/demo_menu.h"

#include <assert.h>
#include <string.h>

#include "app/demo_pictures.h"
#include "base/crypto.h"
#include "store/image.h"

enum { NOT_COUNTED = -1 };

struct dish {
    const char *category, *name, *picture, *description;
    int64_t price; /* kobo */
    int64_t stock; /* NOT_COUNTED: none is kept */
    bool off;      /* switched off by the kitchen */
};

#define NAIRA(naira) ((naira)*INT64_C(100))

static const struct dish dishes[] = {
    {"Rice", "Jollof rice", "jollof-rice",
     "Simmered in tomato, pepper and thyme, smoky at the bottom; with fried plantain.", NAIRA(2500),
     NOT_COUNTED, false},
    {"Rice", "Fried rice", "fried-rice",
     "Rice tossed with carrots, green beans, liver and sweet corn.", NAIRA(2600), NOT_COUNTED,
     false},
    {"Rice", "Ofada rice and ayamase", "ofada-rice-and-ayamase",
     "Unpolished local rice with a fiery green-pepper sauce, in leaves.", NAIRA(3800), 18, false},
    {"Rice", "Coconut rice", "coconut-rice",
     "Rice cooked in fresh coconut milk with crayfish and a little heat.", NAIRA(2800), NOT_COUNTED,
     false},

    {"Soups and swallow", "Egusi soup", "egusi-soup",
     "Ground melon seed with spinach, stockfish and beef.", NAIRA(3200), NOT_COUNTED, false},
    {"Soups and swallow", "Ẹ̀fọ́ rírò", "efo-riro",
     "Efo riro: soko leaves and red peppers with smoked fish.", NAIRA(3000), NOT_COUNTED, false},
    {"Soups and swallow", "Banga soup", "banga-soup",
     "Palm-nut soup from the Delta with fresh catfish and beletete.", NAIRA(3600), 12, false},
    {"Soups and swallow", "Ofe nsala", "ofe-nsala",
     "White soup with catfish, utazi and yam; light and peppery.", NAIRA(4200), 0, false},
    {"Soups and swallow", "Pounded yam", "pounded-yam", "Smooth, stretchy, pounded to order.",
     NAIRA(1200), NOT_COUNTED, false},

    {"Grill", "Beef suya", "beef-suya",
     "Thin skewers in yaji spice off the charcoal, with onion and tomato.", NAIRA(2000), 40, false},
    {"Grill", "Chicken suya", "chicken-suya",
     "Boneless thigh, the same spice, a little more smoke.", NAIRA(2400), 25, false},
    {"Grill", "Whole grilled croaker", "whole-grilled-croaker",
     "Marinated overnight, grilled with pepper sauce; enough for two.", NAIRA(7500), 8, false},
    {"Grill", "Asun", "asun", "Smoked goat, chopped small and tossed with habanero and onion.",
     NAIRA(3500), NOT_COUNTED, false},
    {"Grill", "Grilled turkey wings", "grilled-turkey-wings",
     "Slow-grilled, glazed with ginger and honey.", NAIRA(3900), NOT_COUNTED, true},

    {"Small chops", "Puff-puff", "puff-puff", "Ten soft dough balls, fried while you wait.",
     NAIRA(800), NOT_COUNTED, false},
    {"Small chops", "Akara", "akara", "Bean fritters, crisp outside, with a pepper dip.",
     NAIRA(900), NOT_COUNTED, false},
    {"Small chops", "Meat pie", "meat-pie", "Buttery crust around minced beef, potato and carrot.",
     NAIRA(1100), 30, false},
    {"Small chops", "Moi moi", "moi-moi", "Steamed bean pudding with egg and mackerel, in a leaf.",
     NAIRA(1000), NOT_COUNTED, false},

    {"Sides", "Dodo", "dodo", "Ripe plantain, fried until the edges caramelise.", NAIRA(900),
     NOT_COUNTED, false},
    {"Sides", "Yam fries", "yam-fries", "Hand-cut, with smoked pepper mayonnaise.", NAIRA(1300),
     NOT_COUNTED, false},
    {"Sides", "Extra pepper sauce", "extra-pepper-sauce",
     "Fried red peppers and onion, on the house.", 0, NOT_COUNTED, false},

    {"To drink", "Zobo", "zobo", "Hibiscus with ginger, clove and pineapple, cold.", NAIRA(700),
     NOT_COUNTED, false},
    {"To drink", "Chapman", "chapman",
     "Orange, lemon, grenadine and bitters over ice with cucumber.", NAIRA(1500), NOT_COUNTED,
     false},
    {"To drink", "Kunu", "kunu", "Spiced millet drink, made this morning.", NAIRA(700), 20, false},
};

static struct opt_str text(const char *value)
{
    return (struct opt_str){.set = true, .value = str_from(value)};
}

static struct str picture_bytes(const char *name)
{
    size_t i = 0;

    while (i < DEMO_PICTURES_N && strcmp(DEMO_PICTURES[i].name, name) != 0)
        i++;
    assert(i < DEMO_PICTURES_N);
    return DEMO_PICTURES[i].bytes;
}

static enum err add_picture(struct tx *tx, const struct dish *dish, const struct food_edit *added)
{
    struct image_put put = {
        .edit = {.food_id = added->food.id, .now_ms = added->now_ms, .problem = added->problem},
        .bytes = picture_bytes(dish->picture)};

    bool whole = image_read(put.bytes, &put.image);
    assert(whole);
    put.hash = crypto_content_name(tx_arena(tx), put.bytes);
    return image_put(tx, &put);
}

static enum err add(struct tx *tx, const struct dish *dish, const struct demo_menu *menu)
{
    struct food_edit edit = {
        .name = text(dish->name),
        .description = text(dish->description),
        .category = text(dish->category),
        .price = {.set = true, .value = dish->price},
        .available = {.set = true, .value = !dish->off},
        .stock = {.set = dish->stock != NOT_COUNTED, .value = dish->stock},
        .now_ms = menu->now_ms,
        .problem = menu->problem,
    };

    enum err err = food_create(tx, &edit);
    return err ? err : add_picture(tx, dish, &edit);
}

enum err demo_menu_fill(struct tx *tx, void *arg)
{
    struct demo_menu *menu = arg;
    bool exists;

    menu->n_added = 0;
    enum err err = food_exists(tx, &exists);
    if (err || exists)
        return err;
    for (size_t i = 0; i < sizeof(dishes) / sizeof(*dishes); i++) {
        err = add(tx, &dishes[i], menu);
        if (err)
            return err;
        menu->n_added++;
    }
    return ERR_OK;
}
