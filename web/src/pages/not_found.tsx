import { SearchX } from 'lucide-preact';
import { Empty } from '../parts/empty';
import { Page } from '../parts/page';

export function NotFoundPage() {
  return (
    <Page title="No such page" class="narrow">
      <Empty icon={SearchX}>
        <p>There is nothing at this address. Perhaps a letter of it got lost.</p>
        <a class="button main" href="/">To the menu</a>
      </Empty>
    </Page>
  );
}
