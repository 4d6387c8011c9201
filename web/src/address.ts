/* What stands in addresses (URLs), and how to put it there. */
/* A part of an address in plain letters; null: it is no proper one, as "50%" is. */
export function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/* A link that writes to somebody: what an email may hold before its @ could else name more of
 * them. */
export function mailTo(email: string): string {
  return `mailto:${encodeURIComponent(email).replace('%40', '@')}`;
}
