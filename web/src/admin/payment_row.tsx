/* A payment as one line of a long list, which opens in place. */
import { ChevronDown } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { mailTo } from '../address';
import { money, when } from '../format';
import { PaymentBody, type PaymentEntryProps, StateTag } from './payment_card';
import { PaymentDetails } from './payment_details';
import { nameOf } from './payment_words';

export function PaymentRow(props: PaymentEntryProps) {
  const { payment } = props;
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="paid-row" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span class="paid-row-id quiet number">{payment.id}</span>
        <span class="paid-row-who"><bdi>{nameOf(payment)}</bdi></span>
        <time class="quiet small" dateTime={payment.created_at}>{when(payment.created_at)}</time>
        <StateTag payment={payment} />
        <span class="paid-row-amount money">{money(payment.amount, payment.currency)}</span>
        <ChevronDown size={18} aria-hidden="true" />
      </summary>
      {isOpen && (
        <div class="paid-row-body">
          <h2 class="visually-hidden">Payment {payment.id}</h2>
          <p class="paid-contact">
            <a href={mailTo(payment.customer.email)}>{payment.customer.email}</a>
            {payment.customer.phone && <a href={`tel:${payment.customer.phone}`}>{payment.customer.phone}</a>}
            {payment.order_id && <a href={`/admin/orders/${payment.order_id}`}>Order {payment.order_id}</a>}
          </p>
          <PaymentBody {...props} />
          <PaymentDetails payment={payment} />
        </div>
      )}
    </details>
  );
}
