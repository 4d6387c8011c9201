/* One tap adds; then the same place counts: less, how many, more. The focus stays where one
 * tapped. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useComputed } from '@preact/signals';
import { Minus, Plus, Trash2 } from 'lucide-preact';
import { QUANTITY_MAX, quantityOf, refusals, setQuantity } from '../state/cart';
import { keepFocus } from './focus';

export interface StepperProps {
  food: { id: number; name: string };
  canAdd: boolean;
  removes?: boolean; // the last "less" shows that it takes the dish out
}

interface CountProps extends StepperProps {
  quantity: number;
  change: (by: number) => void;
}

function Count({ food: { name }, canAdd, removes, quantity, change }: CountProps) {
  return (
    <span class="stepper" role="group" aria-label={name}>
      <button type="button" onClick={() => change(-1)}
        aria-label={quantity === 1 ? `Take ${name} out` : `One ${name} less`}>
        {removes && quantity === 1 ? <Trash2 size={20} aria-hidden="true" /> : <Minus size={20} aria-hidden="true" />}
      </button>
      <output aria-label={`${name} in your cart`}>{quantity}</output>
      <button type="button" onClick={() => change(1)} disabled={!canAdd || quantity >= QUANTITY_MAX}
        aria-label={`One more ${name}`}>
        <Plus size={20} aria-hidden="true" />
      </button>
    </span>
  );
}

export function Stepper({ food, canAdd, removes }: StepperProps) {
  const quantity = useComputed(() => quantityOf(food.id)).value;
  const place = useRef<HTMLSpanElement>(null);
  const hadFocus = useRef(false);
  const change = (by: number) => {
    hadFocus.current = place.current!.contains(document.activeElement);
    setQuantity(food, quantityOf(food.id) + by);
    keepFocus(place.current);
  };
  useLayoutEffect(() => {
    if (hadFocus.current && !place.current!.contains(document.activeElement))
      place.current!.querySelector<HTMLElement>('button:last-of-type')?.focus();
    hadFocus.current = false;
  }, [quantity]);
  return (
    <span class="stepper-place" ref={place}>
      {quantity > 0 ? <Count {...{ food, canAdd, removes, quantity, change }} />
        : canAdd && (
          <button class="button add" type="button" onClick={() => change(1)} aria-label={`Add ${food.name}`}>
            <Plus size={20} aria-hidden="true" /> Add
          </button>
        )}
    </span>
  );
}

/* Why the last change of this food did not happen. silent: another place on the page reads it
 * out. */
export function Refusal({ id, silent }: { id: number; silent?: boolean }) {
  const words = useComputed(() => refusals.value.get(id)).value;
  return words ? <p class="field-error" role={silent ? undefined : 'alert'}>{words}</p> : null;
}
