/* Revenue and orders of a period, day by day, as charts or as a table. */
import { ChartColumn, Table2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { dayText } from '../days';
import { money, moneyShort, plural } from '../format';
import { Button } from '../parts/button';
import { Chart } from './chart';
import type { Compared, Day } from './sales_data';

const named = (date: string) => dayText(date, { weekday: 'short', day: 'numeric', month: 'short' });

const earlier = (weeks: number) => (weeks === 1 ? 'a week earlier' : `${weeks} weeks earlier`);

interface Measure {
  title: string;
  of: (day: Day) => number;
  text: (value: number) => string;
  short: (value: number) => string;
  isCount: boolean;
}

const MEASURES: Measure[] = [
  { title: 'Revenue by day', of: (day) => day.revenue, text: (value) => money(value), short: moneyShort, isCount: false },
  { title: 'Orders by day', of: (day) => day.orders, text: (value) => plural(value, 'order'),
    short: (value) => value.toLocaleString(), isCount: true },
];

function Picture({ measure, data }: { measure: Measure; data: Compared }) {
  const { title, of, text, short, isCount } = measure;
  const [at, setAt] = useState<number | null>(null);
  const { days } = data.summary;
  const best = days.reduce((most, day, i) => (of(day) > of(days[most]!) ? i : most), 0);
  const shown = at !== null && days[at] ? at : best;
  const then = data.before.days[shown];
  const label = `${title}, ${named(data.summary.from)} to ${named(data.summary.to)}. The most was ${text(of(days[best]!))} on ${named(days[best]!.date)}. All days can be shown as a table.`;
  return (
    <figure class="card chart-card">
      <figcaption>
        <h3>{title}</h3>
        <p class="small">
          {at === null && <span class="quiet">Best day: </span>}
          {named(days[shown]!.date)} <strong class="money">{text(of(days[shown]!))}</strong>
          {then && <span class="quiet">, {earlier(data.weeks)} {text(of(then))}</span>}
        </p>
      </figcaption>
      <Chart label={label} names={days.map(({ date }) => dayText(date))} now={days.map(of)}
        before={data.before.days.map(of)} short={short} isCount={isCount} onPoint={setAt} />
      <ul class="legend small" aria-hidden="true">
        <li><span class="swatch now" /> these days</li>
        <li><span class="swatch then" /> same weekdays {earlier(data.weeks)}</li>
      </ul>
    </figure>
  );
}

function DayTable({ data }: { data: Compared }) {
  const rows = data.summary.days.map((day, i) => ({ day, then: data.before.days[i] })).reverse();
  return (
    <div class="table-box scrolls" tabIndex={0} role="region" aria-label="Revenue and orders by day">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col" class="end">Revenue</th>
            <th scope="col" class="end">{earlier(data.weeks)}</th>
            <th scope="col" class="end">Orders</th>
            <th scope="col" class="end">{earlier(data.weeks)}</th>
            <th scope="col" class="end">Cancelled</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ day, then }) => (
            <tr key={day.date}>
              <th scope="row">{named(day.date)}</th>
              <td class="end money">{money(day.revenue)}</td>
              <td class="end money quiet">{then && money(then.revenue)}</td>
              <td class="end">{day.orders.toLocaleString()}</td>
              <td class="end quiet">{then?.orders.toLocaleString()}</td>
              <td class="end">{day.cancelled.toLocaleString()}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function SalesCharts({ data }: { data: Compared }) {
  const [isTable, setTable] = useState(false);
  return (
    <div class="stack">
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
