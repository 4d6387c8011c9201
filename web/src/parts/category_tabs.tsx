/* The categories under the header: where one is on the menu, and the way to the others. */
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Tab { id: string; name: string }

const FAR = 3; // screens: beyond that, a smooth way there is only a wait
const ARRIVES_MS = 1000; // a jump that does not move anything never says that it ended

/* The section that is read now: the last one whose head has passed under the tabs. While one jumps
 * to another, that one. */
function useCurrent(tabs: Tab[]): [string | undefined, (id: string) => void] {
  const [current, setCurrent] = useState(tabs[0]?.id);
  const goal = useRef<string | null>(null);
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      if (goal.current)
        return;
      const line = document.querySelector('.category-tabs')!.getBoundingClientRect().bottom + 40;
      const isEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2 && scrollY > 0;
      const passed = tabs.filter(({ id }) => (document.getElementById(id)?.getBoundingClientRect().top ?? 0) <= line);
      setCurrent((isEnd ? tabs : passed).at(-1)?.id ?? tabs[0]?.id);
    };
    const onScroll = () => { frame ||= requestAnimationFrame(look); };
    look();
    addEventListener('scroll', onScroll, { passive: true });
    addEventListener('resize', onScroll);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('scroll', onScroll);
      removeEventListener('resize', onScroll);
    };
  }, [tabs]);
  const jump = (id: string) => {
    goal.current = id;
    setCurrent(id);
    const end = () => { goal.current = goal.current === id ? null : goal.current; };
    addEventListener('scrollend', end, { once: true });
    setTimeout(end, ARRIVES_MS);
  };
  return [current, jump];
}

export function CategoryTabs({ tabs }: { tabs: Tab[] }) {
  const [current, jump] = useCurrent(tabs);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const strip = list.current!;
    const tab = strip.querySelector<HTMLElement>('[aria-current]');
    if (tab)
      strip.scrollTo({ left: tab.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2 });
  }, [current, tabs]);
  const go = (event: MouseEvent, id: string) => {
    const section = document.getElementById(id);
    if (!section || event.ctrlKey || event.metaKey || event.shiftKey)
      return;
    event.preventDefault();
    jump(id);
    const isFar = Math.abs(section.getBoundingClientRect().top) > FAR * innerHeight;
    section.scrollIntoView({ behavior: isFar ? 'instant' : 'auto' });
    section.querySelector('h2')?.focus({ preventScroll: true });
    history.replaceState(history.state, '', `#${id}`);
  };
  return (
    <nav class="category-tabs" aria-label="Categories">
      <ul ref={list}>
        {tabs.map(({ id, name }) => (
          <li key={id}>
            <a href={`#${id}`} aria-current={id === current ? 'true' : undefined} dir="auto"
              onClick={(event) => go(event, id)}>{name}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
