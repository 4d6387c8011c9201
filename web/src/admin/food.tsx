import { Page } from '../parts/page';

export function FoodPage({ id }: { id: number | null }) {
  return <Page title="Dish">{id}</Page>;
}
