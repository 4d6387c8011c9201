/* One dish of the menu's table. */
import { Component } from 'preact';
import { useState } from 'preact/hooks';
import { Trash2, Utensils } from 'lucide-preact';
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

interface RowProps { food: Food; hidden: boolean }

function Row({ food, hidden }: RowProps) {
  const [isRemoving, setRemoving] = useState(false);
  const refusal = refusals.value.get(food.id);
  return (
    <>
      <tr id={`dish-${food.id}`} hidden={hidden} class={`food-row ${food.available ? '' : 'off'}`}>
        <td class="dish-picture">
          {food.image_url ? <img src={food.image_url} alt="" width={48} height={48} loading="lazy" decoding="async" />
            : <span class="dish-blank"><Utensils size={20} aria-hidden="true" /></span>}
        </td>
        <th scope="row" class="dish-name">
          <a class="strong" href={`/admin/menu/${food.id}`} dir="auto">{food.name}</a>
          {refusal && <p class="field-error" role="alert">{refusal}</p>}
        </th>
        <td class="dish-price end"><PriceCell food={food} /></td>
        <td class="dish-stock end"><StockCell food={food} /></td>
        <td class="dish-on">
          <Switch label={`${food.name} is on sale`} checked={food.available}
            onChange={(available) => setAvailable(food, available)} />
        </td>
        <td class="dish-remove">
          <button class="icon-button" type="button" aria-label={`Remove ${food.name}`} aria-expanded={isRemoving}
            onClick={() => setRemoving(!isRemoving)}><Trash2 size={20} aria-hidden="true" /></button>
        </td>
      </tr>
      {isRemoving && !hidden && (
        <tr class="dish-confirm"><td colSpan={6}><RemoveFood food={food} onNo={() => setRemoving(false)} /></td></tr>
      )}
    </>
  );
}

/* Hundreds of rows answer while one types: each is drawn again only when its own dish has
 * changed. */
export class FoodRow extends Component<RowProps> {
  override shouldComponentUpdate({ food, hidden }: RowProps) {
    return food !== this.props.food || hidden !== this.props.hidden;
  }

  render({ food, hidden }: RowProps) {
    return <Row food={food} hidden={hidden} />;
  }
}
