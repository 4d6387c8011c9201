/* The menu: what one sees first. Dishes by category, found by what is typed, and the cart. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { DoorClosed, DoorOpen, Utensils } from 'lucide-preact';
import { decoded } from '../address';
import type { Food } from '../api';
import { plural } from '../format';
import { Button } from '../parts/button';
import { CartBar, CartSaid } from '../parts/cart_bar';
import { CartSide } from '../parts/cart_side';
import { CategoryTabs } from '../parts/category_tabs';
import { Empty } from '../parts/empty';
import { FoodCard } from '../parts/food_card';
import { Failed } from '../parts/load';
import { Page } from '../parts/page';
import { SearchField } from '../parts/search';
import { search, slug } from '../search';
import { canOrder, foods, groupByCategory, isOpen, loadMenu, menuError } from '../state/menu';
import { isAdmin } from '../state/session';
import { shop } from '../state/shop';

const TYPED_MS = 250; // after the last letter, the address takes what was typed
const FIRST = 3; // cards that are seen without scrolling
const SKELETONS = 6;

/* What is searched for; the address keeps it, for a reload and the way back. */
function useSearch(): [string, (text: string) => void] {
  const { query, route } = useLocation();
  const given = query.q ?? '';
  const written = useRef(given);
  const [text, setText] = useState(given);
  useEffect(() => {
    if (given !== written.current)
      setText(given);
    written.current = given;
  }, [given]);
  useEffect(() => {
    if (text === written.current)
      return undefined;
    const timer = setTimeout(() => {
      written.current = text;
      route(text ? `/?q=${encodeURIComponent(text)}` : '/', true);
    }, TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return [text, setText];
}

function OpenState() {
  if (isOpen.value === null)
    return null;
  const Icon = isOpen.value ? DoorOpen : DoorClosed;
  return (
    <p class={`open-state ${isOpen.value ? 'good' : ''}`}>
      <Icon size={20} aria-hidden="true" /> {isOpen.value ? 'Taking orders' : 'Not taking orders now'}
    </p>
  );
}

interface Section { id: string; name: string; foods: Food[] }

/* What can be had comes first. */
function sectionsOf(list: Food[]): Section[] {
  const taken = new Set<string>();
  return groupByCategory(list).map(({ name, foods: members }, i) => {
    const plain = `menu-${slug(name)}`;
    const id = taken.has(plain) ? `${plain}-${i}` : plain;
    taken.add(id);
    return { id, name: name || 'More', foods: [...members].sort((a, b) => Number(canOrder(b)) - Number(canOrder(a))) };
  });
}

function Sections({ sections, pictures }: { sections: Section[]; pictures: boolean }) {
  return (
    <>
      {sections.map(({ id, name, foods: members }, i) => (
        <section key={id} id={id} class="menu-section" aria-labelledby={`${id}-title`}>
          <h2 id={`${id}-title`} tabIndex={-1} dir="auto">{name}</h2>
          <ul class={pictures ? 'dishes' : 'dishes plain'}>
            {members.map((food, j) => (
              <FoodCard key={food.id} food={food} first={i === 0 && j < FIRST} pictures={pictures} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function Skeleton() {
  return (
    <>
      <p class="visually-hidden" role="status">The menu is coming …</p>
      <div class="menu-tools" aria-hidden="true"><div class="search bone" /></div>
      <div class="category-tabs" aria-hidden="true"><ul><li class="bone" /><li class="bone" /><li class="bone" /></ul></div>
      <div class="menu-section" aria-hidden="true">
        <div class="bone bone-title" />
        <ul class="dishes">
          {Array.from({ length: SKELETONS }, (_, i) => (
            <li key={i} class="dish">
              <div class="food-picture none" />
              <div class="dish-body"><p class="bone" /><p class="bone long" /><p class="bone foot" /></div>
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}

function Nothing() {
  return (
    <Empty icon={Utensils}>
      <p>There is nothing on the menu yet.</p>
      {isAdmin.value ? <a class="button main" href="/admin/menu/new">Add the first dish</a>
        : <p>Please come back a little later.</p>}
    </Empty>
  );
}

/* An address may name a category or a dish: once they are there, it is shown. */
function useNamed() {
  useEffect(() => {
    const named = document.getElementById(decoded(location.hash.slice(1)) ?? '');
    if (named)
      named.scrollIntoView({ behavior: 'instant' });
  }, []);
}

function Dishes({ list }: { list: Food[] }) {
  const [text, setText] = useSearch();
  const sections = useMemo(() => sectionsOf(search(list, text)), [list, text]);
  const n = sections.reduce((sum, section) => sum + section.foods.length, 0);
  const pictures = list.some((food) => food.image_url);
  useNamed();
  return (
    <>
      <div class="menu-tools">
        <SearchField label="Search the menu" placeholder="Search" value={text} onValue={setText} />
        <OpenState />
      </div>
      {sections.length > 1 && <CategoryTabs tabs={sections} />}
      <p class={text.trim() ? 'menu-found quiet' : 'visually-hidden'} role="status">
        {text.trim() && n > 0 && `${plural(n, 'dish', 'dishes')} for “${text.trim()}”`}
        {text.trim() && n === 0 && `Nothing on the menu for “${text.trim()}”.`}
      </p>
      {n === 0 && <Button onClick={() => setText('')}>Show the whole menu</Button>}
      <Sections sections={sections} pictures={pictures} />
    </>
  );
}

function Content() {
  const list = foods.value;
  if (list?.length && shop.value)
    return <Dishes list={list} />;
  if (list?.length === 0)
    return <Nothing />;
  if (!menuError.value)
    return <Skeleton />;
  return <Failed error={menuError.value} retry={loadMenu} />;
}

export function MenuPage() {
  return (
    <Page title="Menu" class="menu-page">
      <div><Content /></div>
      <CartSide />
      <CartSaid />
      <CartBar />
    </Page>
  );
}
