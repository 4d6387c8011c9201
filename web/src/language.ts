/* The reader's way of writing numbers and dates, in the digits that all the rest of the page
 * has. */
const own = new Intl.NumberFormat().resolvedOptions().locale;
export const LANGUAGE = new Intl.Locale(own, { numberingSystem: 'latn' }).toString();

export function count(n: number): string {
  return n.toLocaleString(LANGUAGE);
}

/* What was typed on a keyboard with other digits: ٢٥٠٠ is 2500, and ۱۲ is 12. */
export function plainDigits(text: string): string {
  return text.replace(/[٠-٩۰-۹０-９]/g, (digit) => String(digit.charCodeAt(0) & 15))
    .replace(/٫/g, '.').replace(/٬/g, ',').replace(/[\u200e\u200f\u061c]/g, ''); // and marks of direction
}
