/* What was sold most, and how the orders of a period stand. */
import type { OrderStatus, Summary } from '../api';
import { money, plural } from '../format';
import { StatusTag } from '../parts/status';

function Bar({ part }: { part: number }) {
  return <span class="bar" aria-hidden="true"><span style={{ width: `${part * 100}%` }} /></span>;
}

export function TopFoods({ foods }: { foods: Summary['top_foods'] }) {
  const most = foods[0]?.quantity ?? 1;
  return (
    <section class="card share">
      <h3>What sold best</h3>
      <ol>
        {foods.map((food) => (
          <li key={food.food_id}>
            <span class="share-name"><a class="strong" dir="auto" href={`/admin/menu/${food.food_id}`}>{food.name}</a></span>
            <span class="share-number number">{plural(food.quantity, 'portion')}</span>
            <span class="share-number money quiet">{money(food.revenue)}</span>
            <Bar part={food.quantity / most} />
          </li>
        ))}
      </ol>
    </section>
  );
}

export function ByStatus({ counts, orders }: { counts: Summary['by_status']; orders: number }) {
  const shown = (Object.entries(counts) as [OrderStatus, number][]).filter(([, n]) => n > 0);
  return (
    <section class="card share">
      <h3>How these orders stand now</h3>
      <ul>
        {shown.map(([status, n]) => (
          <li key={status}>
            <span class="share-name"><StatusTag status={status} /></span>
            <span class="share-number number">{plural(n, 'order')}</span>
            <Bar part={n / orders} />
          </li>
        ))}
      </ul>
    </section>
  );
}
