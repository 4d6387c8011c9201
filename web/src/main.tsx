/* The page begins: what every visitor needs is asked for at once, and the rest when it is looked
 * at. */
import { render } from 'preact';
import { App } from './app';
import { keepCartFresh } from './state/cart';
import { keepMenuFresh, loadMenu } from './state/menu';
import { loadMe } from './state/session';
import { loadShop } from './state/shop';

/* The router would read //a/b as the page /b of a host a, and // as nothing at all. */
if (location.pathname.startsWith('//'))
  history.replaceState(null, '', location.pathname.replace(/^\/+/, '/') + location.search + location.hash);

void loadMe();
void loadMenu();
loadShop().catch(() => {}); // what is kept from the last visit serves; the next answer comes with the menu
keepMenuFresh();
keepCartFresh();
render(<App />, document.getElementById('app')!);
