/* All that is known of a payment: what it pays for, and what happened to it. */
import type { AdminPayment } from '../api';
import { date, clock, money, when } from '../format';
import { serverNow } from '../state/clock';
import { eventWords } from './payment_words';

function Lines({ payment }: { payment: AdminPayment }) {
  return (
    <table class="paid-lines">
      <caption class="visually-hidden">What payment {payment.id} pays for</caption>
      <thead class="visually-hidden">
        <tr><th scope="col">Dish</th><th scope="col">Total</th></tr>
      </thead>
      <tbody>
        {payment.items.map((line) => (
          <tr key={line.food_id}>
            <td>{line.quantity} × <bdi>{line.name}</bdi></td>
            <td class="end money">{money(line.line_total, payment.currency)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function History({ payment }: { payment: AdminPayment }) {
  return (
    <ol class="paid-history">
      <li>
        <time dateTime={payment.created_at}>{when(payment.created_at)}</time>
        <p>{money(payment.amount, payment.currency)} was asked for</p>
      </li>
      {payment.events.map((event) => (
        <li key={event.id}>
          <time dateTime={event.at}>{when(event.at)}</time>
          <p>{eventWords(event)}</p>
          {event.note && <blockquote dir="auto">{event.note}</blockquote>}
          {event.by && <p class="quiet small">by <bdi>{event.by.name ?? event.by.email}</bdi></p>}
        </li>
      ))}
    </ol>
  );
}

export function PaymentDetails({ payment }: { payment: AdminPayment }) {
  const { fulfilment, address, note, provider, provider_ref: ref, expires_at: end } = payment;
  return (
    <div class="paid-details">
      <section>
        <h3>What for</h3>
        <Lines payment={payment} />
        <p class="small">
          {fulfilment === 'delivery' ? 'Delivery to ' : 'Pickup'}
          {address && <span dir="auto" class="paid-text">{address}</span>}
        </p>
        {note && <p class="small">Note: <span dir="auto" class="paid-text">{note}</span></p>}
        <p class="quiet small">
          Payment {payment.id}, {provider === 'manual' ? 'confirmed by hand' : `by ${provider}`}{ref && `, ${ref}`}.
          {' '}Its time {Date.parse(end) > serverNow() ? 'ends' : 'ended'} {date(end)}, {clock(end)}.
        </p>
      </section>
      <section>
        <h3>History</h3>
        <History payment={payment} />
      </section>
    </div>
  );
}
