/* Where an order stands: an icon and a word, and a colour that says the same. */
import { Bike, ChefHat, CircleCheck, CircleX, ClipboardCheck, Clock3, PackageCheck } from 'lucide-preact';
import type { Fulfilment, OrderStatus } from '../api';

interface Step {
  icon: typeof Clock3;
  word: string;
  kind: 'wait' | 'good' | 'bad';
}

export const STATUS: Record<OrderStatus, Step> = {
  pending: { icon: Clock3, word: 'Ordered', kind: 'wait' },
  confirmed: { icon: ClipboardCheck, word: 'Confirmed', kind: 'wait' },
  preparing: { icon: ChefHat, word: 'Preparing', kind: 'wait' },
  ready: { icon: PackageCheck, word: 'Ready', kind: 'good' },
  out_for_delivery: { icon: Bike, word: 'On its way', kind: 'wait' },
  completed: { icon: CircleCheck, word: 'Completed', kind: 'good' },
  cancelled: { icon: CircleX, word: 'Cancelled', kind: 'bad' },
};

export function isFinal(status: OrderStatus): boolean {
  return status === 'completed' || status === 'cancelled';
}

/* The way of an order that is not cancelled. */
export function stepsOf(fulfilment: Fulfilment): OrderStatus[] {
  return ['pending', 'confirmed', 'preparing', 'ready',
    ...(fulfilment === 'delivery' ? ['out_for_delivery' as const] : []), 'completed'];
}

export function StatusTag({ status }: { status: OrderStatus }) {
  const { icon: Icon, word, kind } = STATUS[status];
  return <span class={`tag ${kind}`}><Icon size={16} aria-hidden="true" /> {word}</span>;
}
