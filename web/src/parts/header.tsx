/* The top of every page: the shop, where one can go, and the cart. The staff have a second row. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { ClipboardList, LogIn, ReceiptText, ShoppingBag, User, Utensils } from 'lucide-preact';
import type { LucideIcon } from 'lucide-preact';
import { plural } from '../format';
import { count as numberOf } from '../language';
import { count } from '../state/cart';
import { newOrders } from '../state/new_orders';
import { isAdmin, me } from '../state/session';
import { shop } from '../state/shop';

const ADMIN_LINKS: [string, string][] = [
  ['/admin', 'Board'],
  ['/admin/orders', 'Orders'],
  ['/admin/menu', 'Menu'],
  ['/admin/customers', 'Customers'],
  ['/admin/payments', 'Payments'],
  ['/admin/sales', 'Sales'],
  ['/admin/settings', 'Settings'],
];

function isAt(path: string, href: string): boolean {
  return path === href || (href !== '/' && href !== '/admin' && path.startsWith(`${href}/`));
}

function NavLink({ href, text, icon: Icon, path, news = 0 }: {
  href: string; text: string; icon: LucideIcon; path: string; news?: number;
}) {
  return (
    <a class="nav-link" href={href} aria-current={isAt(path, href) ? 'page' : undefined}
      aria-label={news ? `${text}, ${numberOf(news)} new` : undefined}>
      <Icon size={20} aria-hidden="true" /><span>{text}</span>
      {news > 0 && <span class="badge" aria-hidden="true">{news}</span>}
    </a>
  );
}

function CartLink({ path }: { path: string }) {
  const n = count.value;
  return (
    <a class="nav-link" href="/cart" aria-current={isAt(path, '/cart') ? 'page' : undefined}
      aria-label={n ? `Cart, ${plural(n, 'dish', 'dishes')}` : 'Cart'}>
      <ShoppingBag size={20} aria-hidden="true" /><span>Cart</span>
      {n > 0 && <span class="badge" aria-hidden="true">{n}</span>}
    </a>
  );
}

/* Others stay right under it when they scroll; with larger letters it is higher. */
function useHeight(top: RefObject<HTMLElement>) {
  useEffect(() => {
    const observer = new ResizeObserver(() =>
      document.documentElement.style.setProperty('--header', `${top.current!.offsetHeight}px`));
    observer.observe(top.current!);
    return () => observer.disconnect();
  }, []);
}

/* On a phone the row is wider than the screen: where one is stays in sight. */
function useInSight(path: string) {
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    const here = row.current?.querySelector<HTMLElement>('[aria-current]');
    if (here)
      row.current!.scrollLeft = here.offsetLeft - (row.current!.clientWidth - here.offsetWidth) / 2;
  }, [path]);
  return row;
}

function StaffRow({ path }: { path: string }) {
  const row = useInSight(path);
  return (
    <nav class="staff-row" aria-label="Staff" ref={row}>
      {ADMIN_LINKS.map(([href, text]) => (
        <a key={href} href={href} aria-current={isAt(path, href) ? 'page' : undefined}>{text}</a>
      ))}
    </nav>
  );
}

export function Header() {
  const { path } = useLocation();
  const top = useRef<HTMLElement>(null);
  useHeight(top);
  const isStaff = path.startsWith('/admin') && isAdmin.value;
  return (
    <header class="top no-print" ref={top}>
      <div class="top-row">
        <a class="brand" href="/" dir="auto">{shop.value?.name ?? ' '}</a>
        <nav aria-label="Main">
          <NavLink href="/" text="Menu" icon={Utensils} path={path} />
          {me.value && <NavLink href="/orders" text="Orders" icon={ReceiptText} path={path} />}
          {isAdmin.value && <NavLink href="/admin" text="Kitchen" icon={ClipboardList} path={path}
            news={path === '/admin' ? 0 : newOrders.value} />}
          {me.value && <NavLink href="/account" text="Account" icon={User} path={path} />}
          {me.value === null && <NavLink href="/login" text="Log in" icon={LogIn} path={path} />}
          {!isStaff && <CartLink path={path} />}
        </nav>
      </div>
      {isStaff && <StaffRow path={path} />}
    </header>
  );
}
