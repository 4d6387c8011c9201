import { startServer, ADMIN } from './lib/server.mjs';
import { SHOP_URL, startBrowser, logInAt, PHONE, DESK } from './lib/browser.mjs';
const server = await startServer({ settings: { public_url: SHOP_URL } });
const b = await startBrowser(server.port);
const shots = process.argv.slice(2);
for (const [name, viewport] of [['phone', PHONE], ['desk', DESK]]) {
  const ctx = await b.newContext({ viewport, baseURL: SHOP_URL, colorScheme: process.env.DARK ? 'dark' : 'light' });
  const page = await ctx.newPage();
  page.on('console', m => m.type()==='error' && console.log(m.text()));
  page.on('pageerror', e => console.log(String(e)));
  await page.goto('/login'); 
  if (!process.env.ANON) { await page.evaluate(async (c) => { await fetch('/api/login',{method:'POST',headers:{'Content-Type':'application/json'},body:JSON.stringify({identifier:c.email,password:c.password})}); localStorage['servery.known']='1'; }, ADMIN); }
  for (const path of shots) {
    await page.goto(path); await page.waitForTimeout(700);
    await page.screenshot({ path: `/tmp/shots/${name}${path.replaceAll(/[\/?=&]/g, '_')}.png` });
  }
}
await b.close(); await server.stop();
