/* The user's referral code, to hand on, and the friends who came with it. */
import { Copy, Share2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { call } from '../api';
import { date, plural } from '../format';
import { shop } from '../state/shop';
import { Button } from './button';
import { copy } from './copy';
import { Failed, Loading } from './load';
import { More, usePages } from './more';

async function share(url: string) {
  try {
    await navigator.share({ title: shop.peek()?.name, text: 'Order with me here:', url });
  } catch (error) {
    if ((error as Error).name !== 'AbortError')
      throw error;
  }
}

function Friends({ onCount }: { onCount: (count: number) => void }) {
  const pages = usePages(async (cursor) => {
    const page = await call('get', '/api/me/referrals', { query: { cursor } });
    onCount(page.count);
    return page;
  }, []);
  if (pages.error)
    return <Failed error={pages.error} retry={pages.reload} />;
  if (!pages.items)
    return <Loading />;
  return (
    <>
      {pages.items.length > 0 && (
        <ul class="invite-friends">
          {pages.items.map(({ name, joined_at }, i) => (
            <li key={i}>
              <span class="grow" dir="auto">{name ?? 'A friend'}</span>
              <time class="quiet" dateTime={joined_at}>{date(joined_at)}</time>
            </li>
          ))}
        </ul>
      )}
      <More pages={pages} label="Show more" />
    </>
  );
}

export function Invite({ code }: { code: string }) {
  const [count, setCount] = useState<number | null>(null);
  const url = `${location.origin}/signup?ref=${code}`;
  return (
    <section class="card stack" aria-labelledby="invite">
      <h2 id="invite">Bring a friend</h2>
      <p class="quiet">Give a friend this code, or the link.</p>
      <p class="invite-code">{code}</p>
      <div class="row">
        <Button class="grow" onClick={() => copy(url, 'The link is copied.')}>
          <Copy size={18} aria-hidden="true" /> Copy link
        </Button>
        {'share' in navigator && (
          <Button class="grow" onClick={() => share(url)}>
            <Share2 size={18} aria-hidden="true" /> Share
          </Button>
        )}
      </div>
      {count !== null && (
        <p>
          {count ? `${plural(count, 'friend has', 'friends have')} joined with it.`
            : 'Nobody has joined with it yet.'}
        </p>
      )}
      <Friends onCount={setCount} />
    </section>
  );
}
