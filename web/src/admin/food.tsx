/* One dish: written anew or changed. */
import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { ChevronLeft } from 'lucide-preact';
import { type Food, call } from '../api';
import { Button } from '../parts/button';
import { Load, useLoad } from '../parts/load';
import { Page } from '../parts/page';
import { inTab } from '../state/kept';
import { FoodForm } from './food_form';
import { RemoveFood } from './food_row';

function Remove({ food }: { food: Food }) {
  const [isAsking, setAsking] = useState(false);
  const { route } = useLocation();
  return (
    <section class="card stack food-end">
      <h2>Remove from the menu</h2>
      {isAsking && <RemoveFood food={food} onNo={() => setAsking(false)} onDone={() => route('/admin/menu')} />}
      <Button kind="danger" hidden={isAsking} onClick={() => setAsking(true)}>Remove this dish …</Button>
    </section>
  );
}

function Back() {
  return <a class="back" href="/admin/menu"><ChevronLeft size={20} aria-hidden="true" /> All dishes</a>;
}

function ChangeFood({ id }: { id: number }) {
  const loaded = useLoad(() => call('get', '/api/foods/{id}', { id }), [id]);
  useEffect(() => inTab.set('menu.at', id), [id]);
  return (
    <Page title={loaded.data?.name ?? 'Dish'} heading={<span dir="auto">{loaded.data?.name ?? 'Dish'}</span>} class="food-page">
      <Back />
      <Load from={loaded}>{(food) => <><FoodForm food={food} /><Remove food={food} /></>}</Load>
    </Page>
  );
}

export function FoodPage({ id }: { id: number | null }) {
  return id !== null ? <ChangeFood id={id} /> : (
    <Page title="New dish" class="food-page">
      <Back />
      <FoodForm food={null} />
    </Page>
  );
}
