/* Revenue and orders of a period as charts, day by day or week by week, or as a table. */
import { ChartColumn, Table2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { dayText, rangeText } from '../days';
import { money, moneyShort, plural } from '../format';
import { count } from '../language';
import { Button } from '../parts/button';
import { Chart } from './chart';
import { type Compared, type Day, sum } from './sales_data';

const DAILY_MAX = 120; // more days than that are shown as weeks

const named = (date: string) => dayText(date, { weekday: 'short', day: 'numeric', month: 'short' });

const earlier = (weeks: number) => (weeks === 1 ? 'a week earlier' : `${weeks} weeks earlier`);

interface Measure {
  title: string;
  of: (sales: { revenue: number; orders: number }) => number;
  text: (value: number) => string;
  short: (value: number) => string;
  isCount: boolean;
}

const MEASURES: Measure[] = [
  { title: 'Revenue', of: ({ revenue }) => revenue, text: (value) => money(value), short: moneyShort, isCount: false },
  { title: 'Orders', of: ({ orders }) => orders, text: (value) => plural(value, 'order'),
    short: (value) => count(value), isCount: true },
];

interface Part { name: string; short: string; now: number; before: number }

/* Weeks are counted back from the last day; the first one may be short. */
function partsOf({ summary: { days }, before }: Compared, { of }: Measure): Part[] {
  if (days.length <= DAILY_MAX)
    return days.map((day, i) => ({
      name: named(day.date), short: dayText(day.date), now: of(day), before: before.days[i] ? of(before.days[i]) : 0,
    }));
  const parts: Part[] = [];
  for (let end = days.length; end > 0; end -= 7) {
    const week = days.slice(Math.max(0, end - 7), end);
    parts.unshift({
      name: rangeText(week[0]!.date, week.at(-1)!.date), short: dayText(week[0]!.date),
      now: of(sum(week)), before: of(sum(before.days.slice(Math.max(0, end - 7), end))),
    });
  }
  return parts;
}

function Picture({ measure, data }: { measure: Measure; data: Compared }) {
  const [at, setAt] = useState<number | null>(null);
  const parts = partsOf(data, measure);
  const unit = data.summary.days.length <= DAILY_MAX ? 'day' : 'week';
  const best = parts.reduce((most, part) => (part.now > most.now ? part : most));
  const shown = (at !== null && parts[at]) || best;
  const title = `${measure.title} by ${unit}`;
  return (
    <figure class="card chart-card">
      <figcaption>
        <h3>{title}</h3>
        <p class="small">
          {shown === best && <span class="quiet">Best {unit}: </span>}
          {shown.name} <strong class="money">{measure.text(shown.now)}</strong>
          <span class="quiet">, {earlier(data.weeks)} {measure.text(shown.before)}</span>
        </p>
      </figcaption>
      <Chart names={parts.map(({ short }) => short)} now={parts.map(({ now }) => now)}
        before={parts.map(({ before }) => before)} short={measure.short} isCount={measure.isCount} onPoint={setAt}
        label={`${title}, ${rangeText(data.summary.from, data.summary.to)}. The most was ${measure.text(best.now)}, ${best.name}. All days can be shown as a table.`} />
      <ul class="legend small" aria-hidden="true">
        <li><span class="swatch now" /> these {unit}s</li>
        <li><span class="swatch then" /> {unit === 'day' ? 'same weekdays ' : ''}{earlier(data.weeks)}</li>
      </ul>
    </figure>
  );
}

function DayRow({ day, then }: { day: Day; then: Day | undefined }) {
  return (
    <tr>
      <th scope="row" class="nowrap">{named(day.date)}</th>
      <td class="end money">{money(day.revenue)}</td>
      <td class="end money quiet">{then && money(then.revenue)}</td>
      <td class="end">{count(day.orders)}</td>
      <td class="end quiet">{then && count(then.orders)}</td>
      <td class="end">{count(day.cancelled)}</td>
    </tr>
  );
}

function DayTable({ data: { summary, before, weeks } }: { data: Compared }) {
  const rows = summary.days.map((day, i) => ({ day, then: before.days[i] })).reverse();
  return (
    <div class="table-box scrolls" tabIndex={0} role="region" aria-label="Revenue and orders by day">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col" class="end">Revenue</th>
            <th scope="col" class="end">{earlier(weeks)}</th>
            <th scope="col" class="end">Orders</th>
            <th scope="col" class="end">{earlier(weeks)}</th>
            <th scope="col" class="end">Cancelled</th>
          </tr>
        </thead>
        <tbody>{rows.map(({ day, then }) => <DayRow key={day.date} day={day} then={then} />)}</tbody>
      </table>
    </div>
  );
}

export function SalesCharts({ data }: { data: Compared }) {
  const [isTable, setTable] = useState(false);
  return (
    <div>
      <div class="row chart-switch">
        <Button kind="quiet" onClick={() => setTable(!isTable)}>
          {isTable ? <ChartColumn size={20} aria-hidden="true" /> : <Table2 size={20} aria-hidden="true" />}
          {isTable ? 'Show as charts' : 'Show as a table'}
        </Button>
      </div>
      {isTable ? <DayTable data={data} /> : (
        <div class="charts">{MEASURES.map((measure) => <Picture key={measure.title} measure={measure} data={data} />)}</div>
      )}
    </div>
  );
}
