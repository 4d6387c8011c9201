/* One dish of the menu's table. */
import { useState } from 'preact/hooks';
import { Trash2, UtensilsCrossed } from 'lucide-preact';
import { CallError, type Food, call } from '../api';
import { Confirm } from '../parts/confirm';
import { Switch } from '../parts/switch';
import { dropFood } from '../state/menu';
import { toast } from '../state/toast';
import { refusals, setAvailable } from './menu_edits';
import { PriceCell } from './price_cell';
import { StockCell } from './stock_cell';

/* Somebody else may have removed it already. */
export async function removeFood({ id, name }: Food) {
  await call('delete', '/api/foods/{id}', { id }).catch((error) => {
    if (!(error instanceof CallError) || error.status !== 404)
      throw error;
  });
  dropFood(id);
  toast(`${name} is off the menu for good.`, { kind: 'good' });
}

export function RemoveFood({ food, onDone, onNo }: { food: Food; onDone?: () => void; onNo: () => void }) {
  return (
    <Confirm yes="Remove it" no="Keep it" onNo={onNo} onYes={async () => {
      await removeFood(food);
      onDone?.();
    }}>
      <p>Remove <strong dir="auto">{food.name}</strong> for good? Past orders keep it; it cannot be brought back.
        {food.available && ' To pause it, switch it off instead.'}</p>
    </Confirm>
  );
}

export function FoodRow({ food }: { food: Food }) {
  const [isRemoving, setRemoving] = useState(false);
  const refusal = refusals.value.get(food.id);
  return (
    <>
      <tr id={`dish-${food.id}`} class={`food ${food.available ? '' : 'off'}`}>
        <td class="food-picture">
          {food.image_url ? <img src={food.image_url} alt="" width={48} height={48} loading="lazy" decoding="async" />
            : <span class="no-picture"><UtensilsCrossed size={20} aria-hidden="true" /></span>}
        </td>
        <th scope="row" class="food-name">
          <a class="strong" href={`/admin/menu/${food.id}`} dir="auto">{food.name}</a>
          {refusal && <p class="field-error" role="alert">{refusal}</p>}
        </th>
        <td class="food-price end"><PriceCell food={food} /></td>
        <td class="food-stock end"><StockCell food={food} /></td>
        <td class="food-on">
          <Switch label={`${food.name} is on sale`} checked={food.available}
            onChange={(available) => setAvailable(food, available)} />
        </td>
        <td class="food-remove">
          <button class="icon-button" type="button" aria-label={`Remove ${food.name}`} aria-expanded={isRemoving}
            onClick={() => setRemoving(!isRemoving)}><Trash2 size={20} aria-hidden="true" /></button>
        </td>
      </tr>
      {isRemoving && (
        <tr class="food-confirm"><td colSpan={6}><RemoveFood food={food} onNo={() => setRemoving(false)} /></td></tr>
      )}
    </>
  );
}
