/* How long ago an order was placed: it grows from calm to amber to red, in size, icon and word. */
import { useComputed } from '@preact/signals';
import { AlarmClock, Clock3, Hourglass } from 'lucide-preact';
import { minutesSince } from '../format';
import { seconds } from '../state/clock';

const WAITING_MIN = 10;
const LATE_MIN = 20;

export type Urgency = 'calm' | 'waiting' | 'late';

export function urgencyOf(minutes: number): Urgency {
  if (minutes >= LATE_MIN)
    return 'late';
  return minutes >= WAITING_MIN ? 'waiting' : 'calm';
}

/* Follows the time, and only draws anew when the minute changes. */
export function useMinutes(time: string): number {
  return useComputed(() => {
    void seconds.value;
    return minutesSince(time);
  }).value;
}

const LOOK = {
  calm: { icon: Clock3, word: 'ago' },
  waiting: { icon: Hourglass, word: 'waiting' },
  late: { icon: AlarmClock, word: 'late' },
};

function minutesText(minutes: number): string {
  if (minutes < 100)
    return `${minutes} min`;
  if (minutes < 600)
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')} h`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} days`;
}

export function Age({ minutes }: { minutes: number }) {
  const urgency = urgencyOf(minutes);
  const { icon: Icon, word } = LOOK[urgency];
  return (
    <span class={`age ${urgency}`}>
      <span class="number">{minutesText(minutes)}</span>
      <span class="age-word"><Icon size={16} aria-hidden="true" /> {word}</span>
    </span>
  );
}
