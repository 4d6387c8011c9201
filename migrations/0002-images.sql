-- Pictures of foods, by the hash of their bytes: the same picture is kept once, and what an address
-- names never changes. foods.image_hash names one.

CREATE TABLE images (
    hash TEXT PRIMARY KEY,   -- 64 hex digits
    type TEXT NOT NULL CHECK (type IN ('image/jpeg', 'image/png', 'image/webp')),
    width BIGINT NOT NULL CHECK (width BETWEEN 1 AND 4096),
    height BIGINT NOT NULL CHECK (height BETWEEN 1 AND 4096),
    created_at BIGINT NOT NULL,
    released_at BIGINT,      -- when a food last let go of it; other foods may still name it
    bytes $BLOB$ NOT NULL
) $STRICT$;
CREATE INDEX images_released ON images (released_at) WHERE released_at IS NOT NULL;
CREATE INDEX foods_image ON foods (image_hash) WHERE image_hash IS NOT NULL;
