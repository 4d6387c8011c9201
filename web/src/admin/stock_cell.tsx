/* How many can still be sold: counted one by one, set, or not counted at all. */
import { Minus, Plus } from 'lucide-preact';
import type { Food } from '../api';
import { count } from '../language';
import { explain } from '../words';
import { InPlace } from './in_place';
import { addStock, setStock } from './menu_edits';

/* What is typed for a stock, perhaps in groups of three (1,200), but no part of one; undefined: no
 * number. Nothing: not counted. */
export function parseStock(text: string): number | null | undefined {
  const plain = text.trim();
  if (plain === '')
    return null;
  const isNumber = /^(\d+|\d{1,3}([\s.,'’]\d{2,3})*[\s.,'’]\d{3})$/.test(plain);
  const digits = plain.replace(/\D/g, '');
  return isNumber && digits.length <= 10 ? Number(digits) : undefined;
}

export function StockCell({ food }: { food: Food }) {
  const save = async (text: string) => {
    const stock = parseStock(text);
    if (stock === undefined)
      return 'Type a number, or nothing if it is not counted.';
    try {
      await setStock(food, stock);
    } catch (error) {
      return explain(error);
    }
    return null;
  };
  const shown = food.stock === null ? 'not counted' : count(food.stock);
  const value = food.stock === null ? '' : String(food.stock);
  const editor = (
    <InPlace label={`Stock of ${food.name}`} shown={shown} value={value} inputMode="numeric"
      placeholder="not counted" onSave={save}>
      <span class={food.stock === null ? 'quiet' : food.stock === 0 ? 'stock-none' : ''}>{shown}</span>
    </InPlace>
  );
  if (food.stock === null)
    return editor;
  return (
    <span class="stock" role="group" aria-label={`Stock of ${food.name}`}>
      <button class="icon-button" type="button" disabled={food.stock === 0} aria-label={`One ${food.name} less`}
        onClick={() => addStock(food.id, -1)}><Minus size={18} aria-hidden="true" /></button>
      {editor}
      <button class="icon-button" type="button" aria-label={`One ${food.name} more`}
        onClick={() => addStock(food.id, 1)}><Plus size={18} aria-hidden="true" /></button>
    </span>
  );
}
