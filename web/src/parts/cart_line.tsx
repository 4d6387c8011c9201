/* A line of the cart: the dish, what it costs, how many, and what is wrong with it and how to mend
 * that. */
import { CircleAlert, X } from 'lucide-preact';
import type { CartLine } from '../api';
import { money } from '../format';
import { leftOf, problemWords } from '../line_words';
import { account, setQuantity } from '../state/cart';
import { canOrder, foodById } from '../state/menu';
import { ended } from '../words';
import { Button } from './button';
import { FoodPicture } from './food_picture';
import { Refusal, Stepper } from './stepper';

interface LineProps {
  line: CartLine;
  was?: number; // its price when it was last seen
  onRemove: (line: CartLine) => void;
}

function Problem({ line, onRemove }: LineProps) {
  const left = leftOf(line);
  return (
    <div class="line-problem" role="group" aria-label={`What to do about ${line.name}`}>
      <p class="field-error">
        <CircleAlert size={16} aria-hidden="true" /> {ended(problemWords(line))}
      </p>
      <div class="row">
        {left > 0 && (
          <Button onClick={() => setQuantity({ id: line.food_id, name: line.name }, left)}>
            Take what is left ({left})
          </Button>
        )}
        <Button onClick={() => onRemove(line)}>Remove</Button>
      </div>
    </div>
  );
}

/* What an open payment of this customer holds is not in the menu's stock: then the shop says no
 * itself. */
function canAdd(id: number): boolean {
  const food = foodById.value.get(id);
  return Boolean(food && (canOrder(food) || (food.available && account.value?.pending_payment)));
}

export function CartRow({ line, was, onRemove }: LineProps) {
  const { food_id: id, name, quantity, unit_price: price } = line;
  return (
    <li class={line.problem ? 'cart-line wrong' : 'cart-line'}>
      <FoodPicture url={line.image_url} small />
      <div>
        <h2 dir="auto">{name}</h2>
        <p class="quiet small">
          <span class="money">{money(price)}</span> each
          {was !== undefined && was !== price && <strong class="was"> · was <span class="money">{money(was)}</span></strong>}
        </p>
      </div>
      <button class="icon-button" type="button" aria-label={`Remove ${name}`} onClick={() => onRemove(line)}>
        <X size={20} aria-hidden="true" />
      </button>
      <div class="line-foot">
        <Stepper food={{ id, name }} canAdd={canAdd(id)} removes />
        <span class="money line-total">{money(price * quantity)}</span>
      </div>
      {line.problem && <Problem line={line} onRemove={onRemove} />}
      <Refusal id={id} />
    </li>
  );
}
