/* One tap adds; then the same place counts: less, how many, more. */
import { Minus, Plus, Trash2 } from 'lucide-preact';
import { QUANTITY_MAX, quantityOf, refusals, setQuantity } from '../state/cart';

export interface StepperProps {
  food: { id: number; name: string };
  canAdd: boolean;
  removes?: boolean; // the last "less" shows that it takes the dish out
}

export function Stepper({ food, canAdd, removes }: StepperProps) {
  const quantity = quantityOf(food.id);
  const change = (by: number) => setQuantity(food, quantityOf(food.id) + by);
  if (!quantity)
    return canAdd ? (
      <button class="button add" type="button" onClick={() => change(1)} aria-label={`Add ${food.name}`}>
        <Plus size={20} aria-hidden="true" /> Add
      </button>
    ) : null;
  return (
    <span class="stepper" role="group" aria-label={food.name}>
      <button type="button" onClick={() => change(-1)}
        aria-label={quantity === 1 ? `Take ${food.name} out` : `One ${food.name} less`}>
        {removes && quantity === 1 ? <Trash2 size={20} aria-hidden="true" /> : <Minus size={20} aria-hidden="true" />}
      </button>
      <output aria-label={`${food.name} in your cart`}>{quantity}</output>
      <button type="button" onClick={() => change(1)} disabled={!canAdd || quantity >= QUANTITY_MAX}
        aria-label={`One more ${food.name}`}>
        <Plus size={20} aria-hidden="true" />
      </button>
    </span>
  );
}

/* Why the last change of this food did not happen. */
export function Refusal({ id }: { id: number }) {
  const words = refusals.value.get(id);
  return words ? <p class="field-error" role="alert">{words}</p> : null;
}
