/* The picture of a dish, or of none: always 4:3, so that nothing moves when it comes. */
import { Soup } from 'lucide-preact';
import { useState } from 'preact/hooks';

export interface FoodPictureProps {
  url: string | null;
  first?: boolean; // seen without scrolling: the browser takes it before others
  small?: boolean;
}

export function FoodPicture({ url, first, small }: FoodPictureProps) {
  const [broken, setBroken] = useState<string | null>(null);
  if (!url || broken === url)
    return <div class="food-picture none"><Soup size={small ? 24 : 48} strokeWidth={1.25} aria-hidden="true" /></div>;
  return (
    <img class="food-picture" src={url} alt="" width={640} height={480} decoding="async"
      loading={first ? 'eager' : 'lazy'} fetchpriority={first ? 'high' : 'auto'}
      onError={() => setBroken(url)} />
  );
}
