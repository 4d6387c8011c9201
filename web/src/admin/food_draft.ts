/* A dish while it is being written: all as it is typed, kept in the tab until it is saved. */
import { CallError, type Food } from '../api';
import { MONEY_MAX, money, parseMoney, plainMoney } from '../format';
import { inTab } from '../state/kept';
import { parseStock } from './stock_cell';

export interface Draft {
  name: string;
  category: string;
  description: string;
  price: string;
  available: boolean;
  counted: boolean;
  stock: string;
}

/* A new picture as a data: URL; '': none any more; null: as it was. */
export type Picture = string | null;

export const NEW: Draft = {
  name: '', category: '', description: '', price: '', available: true, counted: false, stock: '',
};

export function draftOf(food: Food | null): Draft {
  return food ? {
    name: food.name, category: food.category, description: food.description, price: plainMoney(food.price),
    available: food.available, counted: food.stock !== null, stock: food.stock === null ? '' : String(food.stock),
  } : NEW;
}

type Body = Partial<Pick<Food, 'name' | 'category' | 'description' | 'price' | 'available' | 'stock'>>;

const WORDS: Record<keyof Body, string> = {
  name: 'name', category: 'category', description: 'description', price: 'price', available: 'on sale', stock: 'stock',
};

function wrong(field: string, detail: string): CallError {
  return new CallError(422, { code: 'invalid_value', detail, errors: [{ field, code: 'invalid_value', detail }] });
}

function read(draft: Draft): Required<Body> {
  const price = parseMoney(draft.price);
  if (price === null)
    throw wrong('price', `It must be an amount, such as ${plainMoney(199950)}.`);
  if (price > MONEY_MAX)
    throw wrong('price', `It must be at most ${money(MONEY_MAX)}.`);
  const stock = draft.counted ? parseStock(draft.stock) : null;
  if (stock === undefined || (draft.counted && stock === null))
    throw wrong('stock', 'It must be a number. 0 is sold out.');
  return {
    name: draft.name.trim(), description: draft.description.trim(), price, available: draft.available, stock,
    category: draft.category.trim() || 'Other',
  };
}

/* What to send: all of a new dish; of another what was changed, so that plates that are sold
 * meanwhile stay sold. Throws a CallError that names the field. */
export function changesOf(draft: Draft, food: Food | null): Body {
  const all = read(draft);
  return food ? Object.fromEntries(Object.entries(all).filter(([name, value]) =>
    food[name as keyof Body] !== value)) : all;
}

/* What somebody else has changed too, in words; '': nothing that matters. */
export function conflictText(changes: Body, base: Food, theirs: Food): string {
  const both = (Object.keys(changes) as (keyof Body)[]).filter((name) =>
    name !== 'stock' && theirs[name] !== base[name] && theirs[name] !== changes[name]);
  return both.map((name) => {
    const values = { ...theirs, price: money(theirs.price), available: theirs.available ? 'on' : 'off' };
    return `${WORDS[name]}, now ${values[name]}`;
  }).join('; ');
}

/* What was not touched follows the dish. */
export function follow(draft: Draft, base: Food, theirs: Food): Draft {
  const was = draftOf(base);
  const is = draftOf(theirs);
  return Object.fromEntries((Object.keys(draft) as (keyof Draft)[]).map((name) =>
    [name, draft[name] === was[name] ? is[name] : draft[name]])) as unknown as Draft;
}

export function isSame(one: Draft, other: Draft): boolean {
  return (Object.keys(one) as (keyof Draft)[]).every((name) => one[name] === other[name]);
}

/* ---- Kept in the tab, with the state of the dish that it began from ---- */

export interface Kept { draft: Draft; base: Food | null }

const named = (id: number | null) => `dish.${id ?? 'new'}`;

export function keptDraft(id: number | null): Kept | null {
  return inTab.get<Kept>(named(id));
}

/* The picture has a place of its own: where it is too large to be kept, the words still are. */
export function keptPicture(id: number | null): Picture {
  return inTab.get<string>(`${named(id)}.picture`);
}

export function keepDraft(id: number | null, kept: Kept | null, picture: Picture) {
  inTab.set(named(id), kept);
  inTab.set(`${named(id)}.picture`, null);
  if (picture !== null)
    inTab.set(`${named(id)}.picture`, picture);
}
