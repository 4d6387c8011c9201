/* What the owner decides about the shop, and beside it what a customer will see of it. */
import { useId, useState } from 'preact/hooks';
import { Server } from 'lucide-preact';
import { CallError, type Shop, call } from '../api';
import { Field, Form } from '../parts/form';
import { Load, useLoad } from '../parts/load';
import { Page } from '../parts/page';
import { foods } from '../state/menu';
import { setShop } from '../state/shop';
import { toast } from '../state/toast';
import { SettingsPreview, exampleAmount } from './settings_preview';

export type ShopDraft = Pick<Shop, 'name' | 'currency' | 'country_code' | 'timezone' | 'payment_instructions'>;

const INSTRUCTIONS_MAX = 2000;

const LOCKED = 'It stays: there are payments or orders in this currency.';

/* The currency is fixed as soon as somebody has paid or ordered. */
async function isCurrencyLocked(): Promise<boolean> {
  const [orders, payments] = await Promise.all([
    call('get', '/api/admin/orders', { query: { limit: 1 } }), call('get', '/api/admin/payments', { query: { limit: 1 } }),
  ]);
  return orders.items.length > 0 || payments.items.length > 0;
}

async function read() {
  const [shop, isLocked] = await Promise.all([call('get', '/api/shop'), isCurrencyLocked()]);
  return { shop, isLocked };
}

function known(what: 'timeZone' | 'currency'): string[] {
  return Intl.supportedValuesOf?.(what) ?? [];
}

interface Part { draft: ShopDraft; set: (change: Partial<ShopDraft>) => void; shop: Shop; isLocked: boolean }

function currencyHint({ draft, shop, isLocked }: Part): string {
  if (isLocked)
    return LOCKED;
  const example = foods.value?.find((food) => food.price > 0)?.price;
  if (draft.currency === shop.currency || !example)
    return 'A code such as NGN or EUR. It can change until the first order.';
  return `Prices keep their digits: ${exampleAmount(example, shop.currency)} becomes ${exampleAmount(example, draft.currency)}.`;
}

function Place({ draft, set, shop, isLocked }: Part) {
  const zones = useId();
  const currencies = useId();
  return (
    <>
      <Field name="currency" label="Currency" required maxLength={3} autoComplete="off" list={currencies}
        value={draft.currency} readOnly={isLocked} hint={currencyHint({ draft, set, shop, isLocked })}
        onInput={(event) => set({ currency: event.currentTarget.value.toUpperCase() })} />
      <datalist id={currencies}>{known('currency').map((name) => <option key={name} value={name} />)}</datalist>
      <Field name="timezone" label="Time zone" required autoComplete="off" list={zones} value={draft.timezone}
        hint="Days and times of orders and sales are those of this place, as in Africa/Lagos."
        onInput={(event) => set({ timezone: event.currentTarget.value.trim() })} />
      <datalist id={zones}>{known('timeZone').map((name) => <option key={name} value={name} />)}</datalist>
      <Field name="country_code" label="Country’s phone prefix" required inputMode="numeric" maxLength={3} autoComplete="off"
        prefix="+" value={draft.country_code} hint="For phone numbers that begin with 0."
        onInput={(event) => set({ country_code: event.currentTarget.value.trim() })} />
    </>
  );
}

function SettingsForm({ shop, isLocked, onSaved }: { shop: Shop; isLocked: boolean; onSaved: (shop: Shop, isLocked: boolean) => void }) {
  const [draft, setDraft] = useState<ShopDraft>(shop);
  const set = (change: Partial<ShopDraft>) => setDraft((had) => ({ ...had, ...change }));
  const left = INSTRUCTIONS_MAX - [...draft.payment_instructions].length;
  const send = async () => {
    const members = ['name', 'currency', 'country_code', 'timezone', 'payment_instructions'] as const;
    const body = Object.fromEntries(members.filter((name) => draft[name] !== shop[name]).map((name) => [name, draft[name]]));
    try {
      const saved = await call('put', '/api/shop', { body });
      setShop(saved);
      setDraft(saved);
      onSaved(saved, isLocked);
      toast('The settings are saved.', { kind: 'good' });
    } catch (error) {
      if (!(error instanceof CallError) || error.code !== 'currency_in_use')
        throw error;
      set({ currency: shop.currency });
      onSaved(shop, true);
      throw new CallError(409, { code: 'currency_in_use', errors: [{ field: 'currency', code: 'currency_in_use',
        detail: `Nothing was saved: ${shop.currency} stays, because somebody has paid or ordered meanwhile. The rest is still here; save again.` }] });
    }
  };
  return (
    <div class="settings">
      <Form submit="Save" onSubmit={send}>
        <Field name="name" label="Name of the shop" required dir="auto" autoComplete="off" value={draft.name}
          onInput={(event) => set({ name: event.currentTarget.value })} />
        <Field name="payment_instructions" label="How to pay" long dir="auto" value={draft.payment_instructions}
          hint={left < 0 ? `${-left} characters too many.` : 'Shown to customers who pay by bank transfer or at the counter.'}
          onInput={(event) => set({ payment_instructions: event.currentTarget.value })} />
        <Place draft={draft} set={set} shop={shop} isLocked={isLocked} />
      </Form>
      <aside>
        <SettingsPreview draft={draft} />
        <section class="card stack">
          <h2 class="row"><Server size={20} aria-hidden="true" /> Set on the server</h2>
          <p>How mails are sent, how customers pay and this site’s address are in the server’s configuration.
            There, <code>servery config</code> shows each setting, what it means and where it is set.</p>
        </section>
      </aside>
    </div>
  );
}

export function SettingsPage() {
  const loaded = useLoad(read, []);
  return (
    <Page title="Settings">
      <Load from={loaded}>{({ shop, isLocked }) => (
        <SettingsForm shop={shop} isLocked={isLocked}
          onSaved={(next, locked) => loaded.set({ shop: next, isLocked: locked })} />
      )}</Load>
    </Page>
  );
}
