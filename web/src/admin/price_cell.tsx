import type { Food } from '../api';
import { MONEY_MAX, money, parseMoney, plainMoney } from '../format';
import { toast } from '../state/toast';
import { foodById } from '../state/menu';
import { explain } from '../words';
import { InPlace } from './in_place';
import { setPrice } from './menu_edits';

export function PriceCell({ food }: { food: Food }) {
  const save = async (text: string) => {
    const price = parseMoney(text);
    if (price === null)
      return `Type an amount, such as ${plainMoney(199950)}.`;
    if (price > MONEY_MAX)
      return `It must be at most ${money(MONEY_MAX)}.`;
    try {
      await setPrice(food, price);
    } catch (error) {
      return explain(error);
    }
    if (price !== food.price)
      toast(`${food.name} now costs ${money(price)}.`, { kind: 'good', action: {
        label: 'Undo', run: () => {
          const now = foodById.peek().get(food.id) ?? food;
          setPrice(now, food.price).catch((error) => toast(explain(error), { kind: 'bad' }));
        } } });
    return null;
  };
  return <InPlace label={`Price of ${food.name}`} shown={money(food.price)} value={plainMoney(food.price)}
    inputMode="decimal" onSave={save} />;
}
