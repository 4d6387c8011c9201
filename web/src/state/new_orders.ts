/* How many new orders wait for the staff: told at every page of theirs, as the board's own file is
 * fetched by nobody else. */
import { signal } from '@preact/signals';

export const newOrders = signal(0);
