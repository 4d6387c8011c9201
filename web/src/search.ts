/* Finding dishes by what is typed: without regard to case and marks, so that "efo" finds
 * "Ẹ̀fọ́". */
import type { Food } from './api';

const LETTERS: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ı: 'i', þ: 'th', ð: 'd' };

export function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
    .replace(/[ßæœøłđıþð]/g, (letter) => LETTERS[letter]!);
}

const folded = new WeakMap<Food, string>();

function textOf(food: Food): string {
  let text = folded.get(food);
  if (text === undefined) {
    text = fold(`${food.name}\n${food.category}\n${food.description}`);
    folded.set(food, text);
  }
  return text;
}

/* The foods that have every word of the query somewhere, in the order they came in. */
export function search(foods: Food[], query: string): Food[] {
  const words = fold(query).split(/\s+/).filter(Boolean);
  return words.length ? foods.filter((food) => words.every((word) => textOf(food).includes(word))) : foods;
}

/* What an address calls a heading: a word without spaces, in any script. */
export function slug(text: string): string {
  return fold(text).replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '');
}
