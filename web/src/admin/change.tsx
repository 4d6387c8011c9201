/* How much more or less than before: an icon and words. */
import { Equal, TrendingDown, TrendingUp } from 'lucide-preact';

function words(now: number, before: number): string {
  if (now === before)
    return 'the same as';
  if (before === 0)
    return 'more than';
  const percent = Math.abs(now - before) / before * 100;
  if (percent >= 1000)
    return `${Math.round(now / before).toLocaleString()} times`;
  if (percent < 1)
    return `a little ${now > before ? 'more' : 'less'} than`;
  return `${Math.round(percent)}% ${now > before ? 'more' : 'less'} than`;
}

export function Change({ now, before, than }: { now: number; before: number; than: string }) {
  const Icon = now === before ? Equal : now > before ? TrendingUp : TrendingDown;
  const kind = now === before ? '' : now > before ? 'good' : 'bad';
  return (
    <span class={`change ${kind}`}><Icon size={18} aria-hidden="true" /> <span>{words(now, before)} {than}</span></span>
  );
}
