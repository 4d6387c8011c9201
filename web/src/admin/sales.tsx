/* How the shop does: today beside last week, any days beside earlier ones, and what waits now. */
import { ChartColumn, Download } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import type { Sales } from '../api';
import { addDays, dayBegins, rangeText } from '../days';
import { money, plural } from '../format';
import { count } from '../language';
import { Empty } from '../parts/empty';
import { Load, useLoad } from '../parts/load';
import { Page } from '../parts/page';
import { Change } from './change';
import { useQuery } from './query';
import { useRefresh } from './refresh';
import { SalesCharts } from './sales_charts';
import { average, type Compared, type Period, readPeriod, readRecent, type Recent } from './sales_data';
import { periodOf, SalesRange } from './sales_range';
import { RecentFigures } from './sales_recent';
import { ByStatus, TopFoods } from './sales_shares';

function OpenNow({ now }: { now: Recent['now'] }) {
  return (
    <p class="open-now">
      <a href="/admin">{now.open_orders ? `${plural(now.open_orders, 'order')} open now` : 'No order is open now'}</a>
      {now.needs_attention > 0 && (
        <a href="/admin/payments?show=attention">{plural(now.needs_attention, 'payment')} to look into</a>
      )}
      {now.refund_due > 0 && <a href="/admin/payments?show=refund">{plural(now.refund_due, 'refund')} due</a>}
    </p>
  );
}

function Total({ name, value, children }: { name: string; value: string; children: ComponentChildren }) {
  return <div><dt>{name}</dt><dd class="total-value money">{value}</dd><dd class="small">{children}</dd></div>;
}

function Totals({ data }: { data: Compared }) {
  const { totals } = data.summary;
  const change = (of: (sales: Sales) => number) => data.whole && (
    <Change now={of(data.whole.now)} before={of(data.whole.before)} />
  );
  return (
    <dl class="totals">
      <Total name="Revenue" value={money(totals.revenue)}>{change((sales) => sales.revenue)}</Total>
      <Total name="Orders" value={count(totals.orders)}>{change((sales) => sales.orders)}</Total>
      <Total name="An order on average" value={money(average(totals))}>{change(average)}</Total>
      <Total name="Cancelled" value={count(totals.cancelled)}>
        <span class="quiet">{totals.cancelled ? 'not in the revenue' : 'none'}</span>
      </Total>
    </dl>
  );
}

/* What is compared with what, so that nobody has to guess. */
function Basis({ data: { before, weeks, hasToday, whole } }: { data: Compared }) {
  if (!whole)
    return <p class="quiet small">Today is not over, so it is compared with nothing yet.</p>;
  return (
    <p class="quiet small">
      Compared with {rangeText(before.from, before.to)}: the same weekdays, {weeks === 1 ? 'one week' : `${weeks} weeks`} earlier.
      {hasToday && ' Today is in the totals, but not in the comparison: it is not over.'}
    </p>
  );
}

function Export({ period: { from, to } }: { period: Period }) {
  const range = new URLSearchParams({ from: dayBegins(from), to: dayBegins(addDays(to, 1)) });
  return (
    <section class="export">
      <a class="button" href={`/api/admin/orders.csv?${range}`} download="orders.csv">
        <Download size={20} aria-hidden="true" /> Orders of {rangeText(from, to)} as a file
      </a>
      <p class="quiet small grow">
        A CSV for any spreadsheet, one line an order: number, times (UTC), status, customer, dishes, total, payment, address, note.
      </p>
    </section>
  );
}

function PeriodFigures({ data }: { data: Compared }) {
  const { summary } = data;
  if (!summary.totals.orders)
    return (
      <Empty icon={ChartColumn}>
        <p>No orders on these days. What is sold appears here by itself.</p>
        <a class="button" href="/">See the menu as customers do</a>
      </Empty>
    );
  return (
    <div class="stack">
      <Totals data={data} />
      <Basis data={data} />
      <SalesCharts data={data} />
      <div class="shares">
        {summary.top_foods.length > 0 && <TopFoods foods={summary.top_foods} />}
        <ByStatus counts={summary.by_status} orders={summary.totals.orders} />
      </div>
      <Export period={summary} />
    </div>
  );
}

export function SalesPage() {
  const [query, setQuery] = useQuery();
  const period = periodOf(query);
  const recent = useLoad(readRecent, []);
  const compared = useLoad(() => readPeriod(period), [period.from, period.to]);
  useRefresh(() => {
    void recent.reload();
    void compared.reload();
  });
  return (
    <Page title="Sales">
      <Load from={recent} what="Adding up …">
        {(data) => <><OpenNow now={data.now} /><RecentFigures data={data} /></>}
      </Load>
      <section class="period" aria-labelledby="period">
        <h2 id="period">{rangeText(period.from, period.to)}</h2>
        <SalesRange query={query} onQuery={setQuery} />
        <Load from={compared} what="Adding up …">{(data) => <PeriodFigures data={data} />}</Load>
      </section>
    </Page>
  );
}
