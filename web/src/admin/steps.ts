/* The way of an order through the kitchen: the columns of the board, and what the one large button
 * does next. */
import {
  Bike, ChefHat, CircleCheck, ClipboardCheck, type LucideIcon, PackageCheck,
} from 'lucide-preact';
import type { Order, OrderStatus } from '../api';

export type OpenStatus = Exclude<OrderStatus, 'completed' | 'cancelled'>;

export interface Column {
  status: OpenStatus;
  title: string;
  calm: string; // when it is empty
}

export const COLUMNS: Column[] = [
  { status: 'pending', title: 'New', calm: 'No new orders' },
  { status: 'confirmed', title: 'Confirmed', calm: 'Nothing to start' },
  { status: 'preparing', title: 'Preparing', calm: 'Nothing on the stove' },
  { status: 'ready', title: 'Ready', calm: 'Nothing to hand over' },
  { status: 'out_for_delivery', title: 'Out', calm: 'Nobody on the road' },
];

export interface Step {
  to: OrderStatus;
  word: string;
  icon: LucideIcon;
}

/* null: the order is finished. */
export function nextStep(status: OrderStatus, fulfilment: Order['fulfilment']): Step | null {
  switch (status) {
    case 'pending':
      return { to: 'confirmed', word: 'Confirm', icon: ClipboardCheck };
    case 'confirmed':
      return { to: 'preparing', word: 'Start cooking', icon: ChefHat };
    case 'preparing':
      return { to: 'ready', word: 'Mark ready', icon: PackageCheck };
    case 'ready':
      return fulfilment === 'delivery'
        ? { to: 'out_for_delivery', word: 'Send out', icon: Bike }
        : { to: 'completed', word: 'Hand over', icon: CircleCheck };
    case 'out_for_delivery':
      return { to: 'completed', word: 'Delivered', icon: CircleCheck };
    case 'completed':
    case 'cancelled':
      return null;
  }
}
