/* The user's referral code, to hand on, and the friends who came with it. */
import { Copy, Share2 } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { call } from '../api';
import { date, plural } from '../format';
import { shop } from '../state/shop';
import { toast } from '../state/toast';
import { explain } from '../words';
import { Button } from './button';
import { Loading } from './load';
import { More, usePages } from './more';
import { Notice } from './notice';

/* navigator.clipboard wants https, and a shop in the house may have none. */
async function copy(text: string) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}

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
    return (
      <Notice kind="bad" role="alert">
        <p>{explain(pages.error)}</p>
        <Button onClick={pages.reload}>Try again</Button>
      </Notice>
    );
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
        <Button class="grow" onClick={async () => {
          await copy(url);
          toast('The link is copied.', { kind: 'good' });
        }}><Copy size={18} aria-hidden="true" /> Copy link</Button>
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
