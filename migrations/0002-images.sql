-- Pictures of foods, by the hash of their bytes: the same picture is kept once, and what an address
-- names never changes. foods.image_hash names one; a picture that no food names any more is swept.

CREATE TABLE images (
    hash TEXT PRIMARY KEY,   -- 64 hex digits
    type TEXT NOT NULL CHECK (type IN ('image/jpeg', 'image/png', 'image/webp')),
    width BIGINT NOT NULL CHECK (width BETWEEN 1 AND 4096),
    height BIGINT NOT NULL CHECK (height BETWEEN 1 AND 4096),
    bytes $BLOB$ NOT NULL,
    created_at BIGINT NOT NULL
) $STRICT$;
CREATE INDEX images_created ON images (created_at);
CREATE INDEX foods_image ON foods (image_hash) WHERE image_hash IS NOT NULL;
