/* What is ordered: how many of what, and what it costs. For a cart, an order, and a receipt. */
import { money } from '../format';

export interface OrderLine { food_id: number; name: string; quantity: number; line_total: number }

export function OrderLines({ items, total, currency }: {
  items: OrderLine[]; total: number; currency?: string;
}) {
  return (
    <table class="order-lines">
      <thead class="visually-hidden">
        <tr><th scope="col">Quantity</th><th scope="col">Dish</th><th scope="col">Price</th></tr>
      </thead>
      <tbody>
        {items.map((line) => (
          <tr key={line.food_id}>
            <td class="order-quantity">{line.quantity} ×</td>
            <td dir="auto">{line.name}</td>
            <td class="order-price">{money(line.line_total, currency)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row" colSpan={3}>
            <span class="order-sum">
              <span>Total</span> <span class="money">{money(total, currency)}</span>
            </span>
          </th>
        </tr>
      </tfoot>
    </table>
  );
}
