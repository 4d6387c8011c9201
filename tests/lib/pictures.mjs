// Pictures for tests: the files of tests/pictures, and as many different ones as are wanted.
import { readFileSync } from 'node:fs';

const TYPES = { jpg: 'image/jpeg', png: 'image/png', webp: 'image/webp' };

export function picture(name) {
  return {
    type: TYPES[name.split('.').pop()],
    bytes: readFileSync(new URL(`../pictures/${name}`, import.meta.url)),
  };
}

/* A picture of exactly `size` bytes, unlike any other with another `text`: what follows a picture's
 * end is kept and shown with it. */
export function pictureOf(size, text = 'x') {
  const { type, bytes } = picture('7x5.png');
  return { type, bytes: Buffer.concat([bytes, Buffer.alloc(size - bytes.length, `${text} `)]) };
}

export function putPicture(admin, food, { type, bytes } = picture('7x5.png'), options = {}) {
  return admin.call('PUT', `/api/foods/${food.id}/image`, undefined,
    { raw: bytes, ...options, headers: { 'content-type': type, ...options.headers } });
}
