/* The settings as customers will meet them, before they are saved. */
import { LANGUAGE } from '../language';
import { foods } from '../state/menu';
import { serverNow } from '../state/clock';
import type { ShopDraft } from './settings';

/* An amount in a currency that is not the shop's yet; '': there is no such currency. */
export function exampleAmount(amount: number, currency: string): string {
  try {
    const format = new Intl.NumberFormat(LANGUAGE, {
      style: 'currency', currency, currencyDisplay: 'narrowSymbol', trailingZeroDisplay: 'stripIfInteger',
    });
    return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return '';
  }
}

function timeIn(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat(LANGUAGE, { weekday: 'long', hour: '2-digit', minute: '2-digit', timeZone })
      .format(serverNow());
  } catch {
    return '';
  }
}

export function SettingsPreview({ draft }: { draft: ShopDraft }) {
  const dish = foods.value?.find((food) => food.price > 0);
  return (
    <section class="card stack" aria-label="What customers see">
      <h2>What customers see</h2>
      <dl>
        <dt>Shop</dt><dd dir="auto">{draft.name || '—'}</dd>
        <dt dir="auto">{dish?.name ?? 'A price'}</dt><dd class="money">{exampleAmount(dish?.price ?? 199950, draft.currency) || '—'}</dd>
        <dt>Time now</dt><dd>{timeIn(draft.timezone) || '—'}</dd>
        <dt>0801 234 5678</dt><dd>+{draft.country_code} 801 234 5678</dd>
      </dl>
      <h3>How to pay</h3>
      {draft.payment_instructions ? <p class="instructions" dir="auto">{draft.payment_instructions}</p>
        : <p class="quiet">Nothing is said about it.</p>}
    </section>
  );
}
