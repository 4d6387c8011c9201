/* Which days: the last few, or any, kept in the address. */
import { useEffect, useId, useState } from 'preact/hooks';
import { isDay, today } from '../days';
import { Choice } from '../parts/choice';
import { useSettled } from '../parts/search';
import { DAYS_MAX, lastDays, lengthOf, type Period } from './sales_data';
import type { Query } from './query';

const PRESETS = ['7', '30', '90'] as const;
const FIRST = '2000-01-01';

export function periodOf({ days, from, to }: Query): Period {
  if (isDay(from) && isDay(to) && !problemOf({ from, to }))
    return { from, to };
  return lastDays(days && (PRESETS as readonly string[]).includes(days) ? Number(days) : 30);
}

function problemOf({ from, to }: Period): string {
  if (!isDay(from) || !isDay(to))
    return 'Choose two dates.';
  if (from > to)
    return 'The first day is after the last one.';
  if (to > today() || from < FIRST)
    return to > today() ? 'The last day is not here yet.' : 'That is too long ago.';
  return lengthOf({ from, to }) > DAYS_MAX ? `At most ${DAYS_MAX} days can be shown at once.` : '';
}

function Dates({ period, onPeriod }: { period: Period; onPeriod: (period: Period) => void }) {
  const id = useId();
  const [typed, setTyped] = useState(period);
  const settled = useSettled(typed, 400);
  const problem = problemOf(settled);
  useEffect(() => {
    if (!problem)
      onPeriod(settled);
  }, [settled.from, settled.to]);
  const field = (name: keyof Period, label: string) => (
    <div class="date-field">
      <label for={`${id}-${name}`}>{label}</label>
      <input id={`${id}-${name}`} type="date" min={FIRST} max={today()} value={typed[name]} required
        aria-invalid={problem ? true : undefined} aria-describedby={problem ? `${id}-problem` : undefined}
        onInput={(event) => setTyped({ ...typed, [name]: event.currentTarget.value })} />
    </div>
  );
  return (
    <>
      <div class="row dates">{field('from', 'From')}{field('to', 'To')}</div>
      {problem && <p class="field-error" id={`${id}-problem`} role="alert">{problem}</p>}
    </>
  );
}

export function SalesRange({ query, onQuery }: { query: Query; onQuery: (change: Query) => void }) {
  const period = periodOf(query);
  const isFree = query.from !== undefined;
  const value = isFree ? 'other' : String(lengthOf(period));
  return (
    <div class="toolbar">
      <Choice label="Which days" value={value} onValue={(days) => onQuery(days === 'other'
        ? { days: undefined, ...period } : { days, from: undefined, to: undefined })}
        options={[...PRESETS.map((days) => ({ value: days as string, text: `${days} days` })), { value: 'other', text: 'Other dates' }]} />
      {isFree && <Dates period={period} onPeriod={(dates) => onQuery({ ...dates })} />}
    </div>
  );
}
