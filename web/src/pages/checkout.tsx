/* From the cart to the payment: how to get the food, and what it costs. */
import { useLocation } from 'preact-iso/router';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Bike, ShoppingBag, Store } from 'lucide-preact';
import { CallError, call } from '../api';
import {
  Asking, OtherPayment, PriceChanged, Unavailable, Wait, pendingPayment,
} from '../parts/checkout_notes';
import { Cards, type Option } from '../parts/cards';
import { Empty } from '../parts/empty';
import { Field, Form } from '../parts/form';
import { Load, Loading, useLoad } from '../parts/load';
import { Notice } from '../parts/notice';
import { OrderLines } from '../parts/order_lines';
import { Page } from '../parts/page';
import type { Fulfilment } from '../api';
import { money } from '../format';
import { enter, isLoaded, isSettled, lines, loadCart, total } from '../state/cart';
import {
  type Placed, TEXT_MAX, type Waiting, draft, editDraft, endDraft, openAttempt, place,
  resume,
} from '../state/checkout';
import { loadMenu } from '../state/menu';
import { goToPay } from '../state/payment';
import { explain } from '../words';

const WAYS: Option<Fulfilment>[] = [
  { value: 'pickup', icon: Store, title: 'Pick it up', text: 'At the shop, when it is ready' },
  { value: 'delivery', icon: Bike, title: 'Have it delivered', text: 'To your door' },
];

/* Ends what waits when the page is left. */
function useStop(): AbortSignal {
  const stop = useRef(new AbortController());
  useEffect(() => {
    if (stop.current.signal.aborted)
      stop.current = new AbortController();
    return () => stop.current.abort();
  }, []);
  return stop.current.signal;
}

/* Where the answer leads: to the order, or to its payment. */
function useArrive() {
  const { route } = useLocation();
  return (placed: Placed) => {
    if ('order' in placed) {
      endDraft();
      void loadCart().catch(() => {});
      route(`/orders/${placed.order.id}`, true);
    } else {
      goToPay(placed.payment.checkout_url!, route);
    }
  };
}

/* The address of the last delivery, until another one is typed. */
function useLastAddress() {
  useEffect(() => {
    if (draft().address)
      return;
    call('get', '/api/orders', { query: { limit: 20 } }).then(({ items }) => {
      const last = items.find((order) => order.address);
      if (last?.address && !draft().address)
        editDraft({ address: last.address });
    }).catch(() => {}); // it is typed then
  }, []);
}

const COUNTED_FROM = TEXT_MAX - 100;

/* Said when the room gets short. */
function room(text: string) {
  const n = [...text].length;
  if (n < COUNTED_FROM)
    return undefined;
  return <span class={n > TEXT_MAX ? 'over' : undefined}>{n} of {TEXT_MAX} characters</span>;
}

function How() {
  const { fulfilment, address, note } = draft();
  return (
    <>
      <Cards name="fulfilment" label="How do you want it?" options={WAYS} value={fulfilment}
        onChange={(value) => editDraft({ fulfilment: value })} />
      {fulfilment === 'delivery' && (
        <Field long name="address" label="Where to?" value={address} required dir="auto"
          autoComplete="street-address" maxLength={TEXT_MAX}
          hint="Street, number, floor, and how to find you"
          onInput={(event) => editDraft({ address: event.currentTarget.value })} />
      )}
      <Field long name="note" label="A note for the kitchen (optional)" value={note} dir="auto"
        maxLength={TEXT_MAX} hint={room(note)}
        onInput={(event) => editDraft({ note: event.currentTarget.value })} />
    </>
  );
}

type Change = { from: number; to: number };

function CheckoutForm() {
  const arrive = useArrive();
  const stop = useStop();
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const [change, setChange] = useState<Change | null>(null);
  const broken = lines.value.filter((line) => line.problem);
  const payment = pendingPayment();
  useLastAddress();

  async function submit() {
    const shown = total.value;
    setChange(null);
    try {
      arrive(await place(shown, setWaiting, stop));
    } catch (error) {
      if (stop.aborted || !(error instanceof CallError))
        return;
      await Promise.all([loadCart(), loadMenu()]).catch(() => {});
      if (error.code === 'price_changed')
        setChange({ from: shown, to: Number(error.problem.total) });
      else if (error.code !== 'cart_empty' && !lines.value.some((line) => line.problem))
        throw error;
    } finally {
      setWaiting(null);
    }
  }

  return (
    <>
      {broken.length > 0 && <Unavailable lines={broken} />}
      {change && <PriceChanged {...change} />}
      {payment && !waiting && !broken.length && <OtherPayment payment={payment} />}
      <Form class="checkout-form" onSubmit={submit} disabled={broken.length > 0}
        submit={total.value ? `Pay ${money(total.value)}` : 'Place the order'}>
        <fieldset class="stack" disabled={waiting !== null}><How /></fieldset>
        <section class="checkout-summary" aria-labelledby="summary">
          <div class="row">
            <h2 id="summary" class="grow">Your order</h2><a class="button quiet" href="/cart">Change</a>
          </div>
          <OrderLines items={lines.value} total={total.value} />
          {!isSettled.value && (
            <p class="quiet small" role="status">Asking the shop for the price …</p>
          )}
        </section>
        <Wait why={waiting} />
      </Form>
    </>
  );
}

/* A reload, or a lost answer: the shop is asked what became of the order. */
function Resume({ onEnd }: { onEnd: (error: unknown) => void }) {
  const arrive = useArrive();
  const stop = useStop();
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  useEffect(() => {
    const attempt = openAttempt();
    if (!attempt) {
      onEnd(null);
      return;
    }
    resume(attempt, setWaiting, stop).then(arrive, async (error) => {
      await loadCart().catch(() => {});
      if (!stop.aborted)
        onEnd(error);
    });
  }, []);
  return <Asking why={waiting} />;
}

function Ready() {
  const [isOpen, setOpen] = useState(openAttempt() !== null);
  const [error, setError] = useState<unknown>(null);
  if (isOpen)
    return <Resume onEnd={(failure) => { setError(failure); setOpen(false); }} />;
  const isTold = error instanceof CallError && error.code === 'cart_empty';
  if (!lines.value.length)
    return (
      <Empty icon={ShoppingBag}>
        <p>Your cart is empty. What you have ordered and paid is among your orders.</p>
        <div class="row">
          <a class="button main" href="/">To the menu</a>
          <a class="button" href="/orders">Your orders</a>
        </div>
      </Empty>
    );
  return (
    <>
      {error !== null && !isTold && (
        <Notice kind="bad" role="alert"><p>{explain(error)}</p></Notice>
      )}
      <CheckoutForm />
    </>
  );
}

export function CheckoutPage() {
  const cart = useLoad(() => enter().then(() => true), []);
  return (
    <Page title="Check out" class="checkout">
      <Load from={cart} what="Reading your cart …">
        {() => (isLoaded.value ? <Ready /> : <Loading />)}
      </Load>
    </Page>
  );
}
