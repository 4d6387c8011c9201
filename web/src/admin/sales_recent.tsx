/* How was today, compared with last week? */
import type { ComponentChildren } from 'preact';
import type { Sales } from '../api';
import { dayText, rangeText } from '../days';
import { money, plural } from '../format';
import { Change } from './change';
import { average, type Day, type Recent, sum } from './sales_data';

const LONG = 13; // digits and all: smaller, so that it stays on one line

/* In the language of the sentences it stands in. */
const weekday = ({ date }: Day) => dayText(date, { weekday: 'long' }, 'en');

const ofDay = ({ revenue, orders }: Sales) => `${money(revenue)}, ${plural(orders, 'order')}`;

function Figure({ title, sub, sales, children }: {
  title: string; sub: string; sales: Sales; children: ComponentChildren;
}) {
  const revenue = money(sales.revenue);
  return (
    <section class="card figure">
      <h2>{title} <span class="quiet">{sub}</span></h2>
      <p class={`figure-money money ${revenue.length > LONG ? 'long' : ''}`}>{revenue}</p>
      <p>
        {plural(sales.orders, 'order')}
        {sales.orders > sales.cancelled && <> · {money(average(sales))} on average</>}
        {sales.cancelled > 0 && <> · {sales.cancelled}&nbsp;cancelled</>}
      </p>
      <p class="small quiet">{children}</p>
    </section>
  );
}

/* A day that goes on cannot be more or less than a whole one: it is a part of it. */
function SoFar({ now, then }: { now: Day; then: Day }) {
  if (!then.revenue)
    return <>Nothing was sold on {weekday(then)} last week.</>;
  if (now.revenue >= then.revenue)
    return <>Already as much as all of {weekday(then)} last week ({ofDay(then)}).</>;
  const part = Math.floor(now.revenue / then.revenue * 100);
  return <>So far {part}% of all of {weekday(then)} last week ({ofDay(then)}).</>;
}

function Versus({ now, before, than }: { now: Sales; before: Sales; than: string }) {
  return before.orders || now.orders
    ? <Change now={now.revenue} before={before.revenue} than={`${than} (${ofDay(before)})`} />
    : <>And nothing {than}.</>;
}

export function RecentFigures({ data }: { data: Recent }) {
  const week = sum(data.week);
  const weekThen = sum(data.weekThen);
  const between = (days: Day[]) => rangeText(days[0]!.date, days[days.length - 1]!.date);
  return (
    <div class="figures">
      <h2 class="visually-hidden">Today and last week</h2>
      <Figure title="Today" sub="so far" sales={data.today}><SoFar now={data.today} then={data.todayThen} /></Figure>
      <Figure title="Yesterday" sub={weekday(data.yesterday)} sales={data.yesterday}>
        <Versus now={data.yesterday} before={data.yesterdayThen} than={`the ${weekday(data.yesterdayThen)} before`} />
      </Figure>
      <Figure title="Last 7 days" sub={between(data.week)} sales={week}>
        <Versus now={week} before={weekThen} than="the 7 days before" />
      </Figure>
    </div>
  );
}
