/* The menu as its owner sees it: every dish in one table, and what changes daily is changed in
 * place. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Plus, Utensils } from 'lucide-preact';
import type { Food } from '../api';
import { Button } from '../parts/button';
import { Choice } from '../parts/choice';
import { Empty } from '../parts/empty';
import { Failed, Loading } from '../parts/load';
import { Page } from '../parts/page';
import { SearchField } from '../parts/search';
import { search } from '../search';
import { inTab } from '../state/kept';
import { type Category, foods, groupByCategory, isSoldOut, loadMenu, menuError } from '../state/menu';
import { FoodRow } from './food_row';
import { shownFoods } from './menu_edits';

type Filter = 'all' | 'off' | 'sold_out';

const FILTERS: { value: Filter; text: string; fits: (food: Food) => boolean }[] = [
  { value: 'all', text: 'All', fits: () => true },
  { value: 'off', text: 'Off', fits: (food) => !food.available },
  { value: 'sold_out', text: 'Sold out', fits: isSoldOut },
];

/* What is looked for stays while one goes to a dish and comes back. */
function useKept<V extends string>(name: string, first: V): [V, (value: V) => void] {
  const [value, setValue] = useState(inTab.get<V>(name) ?? first);
  return [value, (next) => {
    inTab.set(name, next === first ? null : next);
    setValue(next);
  }];
}

/* The dish that one comes back from is in sight. */
function useReturn(ready: boolean) {
  useEffect(() => {
    const id = ready && inTab.get<number>('menu.at');
    if (!id)
      return;
    inTab.set('menu.at', null);
    requestAnimationFrame(() => {
      const row = document.getElementById(`dish-${id}`);
      row?.scrollIntoView({ block: 'center', behavior: 'instant' });
      row?.classList.add('returned');
    });
  }, [ready]);
}

function FoodTable({ groups, shown }: { groups: Category[]; shown: ReadonlySet<Food> }) {
  return (
    <div class="table-box">
      <table class="table cards foods">
        <caption class="visually-hidden">Dishes by category</caption>
        <thead>
          <tr>
            <th scope="col"><span class="visually-hidden">Picture</span></th>
            <th scope="col">Dish</th>
            <th scope="col" class="end">Price</th>
            <th scope="col" class="end">In stock</th>
            <th scope="col">On sale</th>
            <th scope="col"><span class="visually-hidden">Remove</span></th>
          </tr>
        </thead>
        {groups.map(({ name, foods: members }) => (
          <tbody key={name} hidden={!members.some((food) => shown.has(food))}>
            <tr class="group"><th scope="rowgroup" colSpan={6}><h2 dir="auto">{name}</h2></th></tr>
            {members.map((food) => <FoodRow key={food.id} food={food} hidden={!shown.has(food)} />)}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Nothing({ list, onAll }: { list: Food[]; onAll: () => void }) {
  return list.length === 0 ? (
    <Empty icon={Utensils}>
      <p>Nothing is on the menu yet. Customers see the shop as soon as there is one dish.</p>
      <a class="button main" href="/admin/menu/new"><Plus size={20} aria-hidden="true" /> Add the first dish</a>
    </Empty>
  ) : (
    <Empty icon={Utensils}>
      <p>No dish is like that.</p>
      <Button onClick={onAll}>Show all {list.length}</Button>
    </Empty>
  );
}

function Dishes({ list }: { list: Food[] }) {
  const [text, setText] = useKept<string>('menu.search', '');
  const [filter, setFilter] = useKept<Filter>('menu.filter', 'all');
  useReturn(true);
  const found = search(list, text);
  const options = FILTERS.map(({ fits, ...option }) => ({ ...option, count: found.filter(fits).length }));
  const fits = FILTERS.find(({ value }) => value === filter)!.fits;
  const shown = new Set(found.filter(fits));
  const groups = useMemo(() => groupByCategory(list), [list]);
  return (
    <>
      <div class="toolbar" hidden={list.length === 0}>
        <SearchField label="Find a dish" value={text} onValue={setText} />
        <Choice label="Show" options={options} value={filter} onValue={setFilter} />
        <p class="visually-hidden" role="status">{shown.size} of {list.length} dishes shown</p>
      </div>
      <div hidden={shown.size === 0}><FoodTable groups={groups} shown={shown} /></div>
      {shown.size === 0 && <Nothing list={list} onAll={() => {
        setText('');
        setFilter('all');
      }} />}
    </>
  );
}

export function MenuManagerPage() {
  const list = shownFoods.value;
  useEffect(() => {
    const refresh = () => void loadMenu();
    if (foods.peek())
      refresh();
    addEventListener('focus', refresh);
    return () => removeEventListener('focus', refresh);
  }, []);
  return (
    <Page title="Menu" heading={null}>
      <div class="title-row">
        <h1>Menu</h1>
        <a class="button main" href="/admin/menu/new"><Plus size={20} aria-hidden="true" /> Add a dish</a>
      </div>
      {list && <Dishes list={list} />}
      {!list && !menuError.value && <Loading what="Reading the menu …" />}
      {!list && menuError.value !== null && <Failed error={menuError.value} retry={loadMenu} />}
    </Page>
  );
}
