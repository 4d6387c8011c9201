/* Orders the same again: its dishes go into the cart, at today's prices. */
import { useLocation } from 'preact-iso/router';
import { RotateCcw } from 'lucide-preact';
import type { Order } from '../api';
import { QUANTITY_MAX, loadCart, quantityOf, refusals, setQuantity, settled } from '../state/cart';
import { canOrder, foodById, foods, loadMenu } from '../state/menu';
import { toast } from '../state/toast';
import { Button, type ButtonKind } from './button';

/* The names of what cannot be had, or not in that number. */
async function putIntoCart(order: Order): Promise<string[]> {
  await Promise.all([loadMenu(), loadCart()]);
  const lost: string[] = [];
  for (const line of order.items) {
    const food = foodById.peek().get(line.food_id);
    if (!food || !canOrder(food)) {
      lost.push(line.name);
      continue;
    }
    const most = Math.min(QUANTITY_MAX, food.stock ?? QUANTITY_MAX);
    const wish = quantityOf(food.id) + line.quantity;
    if (wish > most)
      lost.push(`${food.name} (only ${most})`);
    setQuantity(food, Math.min(wish, most));
  }
  await settled();
  const refused = order.items.filter((line) => refusals.peek().has(line.food_id));
  return [...new Set([...lost, ...refused.map((line) => line.name)])];
}

export function Again({ order, kind }: { order: Order; kind?: ButtonKind }) {
  const { route } = useLocation();
  const again = async () => {
    const lost = await putIntoCart(order);
    if (foods.peek() === null)
      throw new Error('The menu is not there.');
    if (lost.length)
      toast(`Cannot be had as before: ${lost.join(', ')}. The rest is in your cart.`,
        { kind: 'bad' });
    route('/cart');
  };
  return (
    <Button kind={kind} onClick={again}>
      <RotateCcw size={18} aria-hidden="true" />
      <span>Order again<span class="visually-hidden">: order {order.id}</span></span>
    </Button>
  );
}
