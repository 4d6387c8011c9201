/* The page behind the link of a password-reset mail: the token is in the URL's fragment, so that it
 * is in no log and no Referer. */
const form = document.getElementById('form');
const message = document.getElementById('message');
const button = form.querySelector('button');
const token = new URLSearchParams(location.hash.slice(1)).get('token');

function say(text, kind) {
  message.textContent = text;
  message.className = `notice ${kind}`;
  message.hidden = false;
}

function linkIsOver(text) {
  say(text, 'bad');
  form.hidden = true;
  document.getElementById('again').hidden = false;
}

async function save() {
  const response = await fetch('/api/password-reset/confirm', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token, new_password: document.getElementById('password').value }),
  });
  if (response.ok) {
    history.replaceState(null, '', location.pathname);
    form.hidden = true;
    document.getElementById('after').hidden = false;
    return say('Your new password is saved. You can log in with it now.', 'good');
  }
  const problem = await response.json().catch(() => ({}));
  if (response.status === 410 || problem.errors?.some((row) => row.field === 'token'))
    return linkIsOver('This link has expired or was used already.');
  say(problem.errors?.[0]?.detail ?? problem.detail ?? 'Something went wrong. Please try again.',
    'bad');
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    await save();
  } catch {
    say('No connection to the shop. Please try again.', 'bad');
  }
  button.disabled = false;
});

if (!token)
  linkIsOver('This link is incomplete. Please open it from the mail again.');
