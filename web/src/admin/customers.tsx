/* Everybody who has an account, found while one types. */
import { useRef, useState } from 'preact/hooks';
import { Users } from 'lucide-preact';
import { call } from '../api';
import { Button } from '../parts/button';
import { Empty } from '../parts/empty';
import { Failed, Loading } from '../parts/load';
import { More, usePages } from '../parts/more';
import { Page } from '../parts/page';
import { SearchField, useSettled } from '../parts/search';
import { CustomerRow } from './customer_row';

/* A question that is no longer asked is not waited for. */
function useCustomers(q: string) {
  const running = useRef<AbortController | null>(null);
  return usePages((cursor) => {
    running.current?.abort();
    running.current = new AbortController();
    return call('get', '/api/admin/users', { query: { q, cursor, limit: 50 }, signal: running.current.signal });
  }, [q]);
}

function CustomerTable({ pages }: { pages: ReturnType<typeof useCustomers> }) {
  return (
    <>
      <div class="table-box">
        <table class="table cards customers">
          <caption class="visually-hidden">Customers, the newest first</caption>
          <thead>
            <tr>
              <th scope="col">Name and email</th>
              <th scope="col">Phone</th>
              <th scope="col">Joined</th>
              <th scope="col">Role</th>
              <th scope="col"><span class="visually-hidden">Change</span></th>
            </tr>
          </thead>
          <tbody>{pages.items?.map((user) => <CustomerRow key={user.id} user={user} onChange={pages.put} />)}</tbody>
        </table>
      </div>
      <More pages={pages} label="Show more" />
    </>
  );
}

export function CustomersPage() {
  const [search, setSearch] = useState('');
  const q = useSettled(search.trim());
  const pages = useCustomers(q);
  const { items, error } = pages;
  return (
    <Page title="Customers">
      <div class="toolbar"><SearchField label="Name, email or phone" value={search} onValue={setSearch} /></div>
      <p class="visually-hidden" role="status">{items && (items.length ? `${items.length} found` : 'Nobody found')}</p>
      {error !== null && <Failed error={error} retry={pages.reload} />}
      {!items && error === null && <Loading />}
      {items && items.length > 0 && <CustomerTable pages={pages} />}
      {items?.length === 0 && (
        <Empty icon={Users}>
          <p>{q ? <>Nobody is found for <strong dir="auto">{q}</strong>.</> : 'Nobody has an account yet.'}</p>
          {q && <Button onClick={() => setSearch('')}>Show everybody</Button>}
        </Empty>
      )}
    </Page>
  );
}
