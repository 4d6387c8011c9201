/* The page behind the link of a password-reset mail. The token is in the URL's fragment, so that it is
 * in no log and no Referer. */
import { PASSWORD, Problem, call, form, h, loadShop } from './common.js';

const box = document.getElementById('reset');
const token = new URLSearchParams(location.hash.slice(1)).get('token');

function linkIsOver(text) {
  box.replaceChildren(h('h1', {}, 'New password'), h('p', { class: 'notice bad', role: 'alert' }, text),
    h('a', { class: 'button main', href: '/#/forgot' }, 'Ask for a new link'));
}

async function save({ new_password }) {
  try {
    await call('POST', '/api/password-reset/confirm', { token, new_password });
  } catch (error) {
    if (error.code === 'token_expired' || error.rows?.some((row) => row.field === 'token'))
      return linkIsOver('This link has expired or was used already.');
    throw error;
  }
  history.replaceState(null, '', location.pathname);
  box.replaceChildren(h('h1', {}, 'New password'),
    h('p', { class: 'notice good', role: 'status' }, '✓ Your new password is saved.'),
    h('a', { class: 'button main', href: '/#/login' }, 'Log in'));
}

loadShop().catch((error) => {
  if (!(error instanceof Problem))
    throw error;
});
if (token)
  box.replaceChildren(h('h1', {}, 'New password'), form([['new_password', 'New password', PASSWORD,
    'At least 8 characters. You will be logged out everywhere else.']], 'Save the new password', save));
else
  linkIsOver('This link is incomplete. Please open it from the mail again.');
