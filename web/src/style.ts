/* Styles that only some pages need. Their addresses are in the head of the page, as <meta
 * name=NAME>. */
const loading = new Map<string, Promise<void>>();

/* Resolves when it is there, or cannot be had: a page without it can still be used. */
export function loadStyle(name: string): Promise<void> {
  const known = loading.get(name);
  if (known)
    return known;
  const href = document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content ?? '';
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href });
  const done = new Promise<void>((resolve) => {
    link.onload = () => resolve();
    link.onerror = () => {
      loading.delete(name);
      resolve();
    };
  });
  loading.set(name, done);
  document.head.append(link);
  return done;
}
