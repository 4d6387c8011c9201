import { ChevronRight, LogOut, ReceiptText } from 'lucide-preact';
import { useLocation } from 'preact-iso/router';
import { useState } from 'preact/hooks';
import { type User, call } from '../api';
import { Button } from '../parts/button';
import { ChangePassword } from '../parts/change_password';
import { Field, Form, type Values } from '../parts/form';
import { Invite } from '../parts/invite';
import { Page } from '../parts/page';
import { logOut, me, setMe } from '../state/session';
import { toast } from '../state/toast';

function Details({ user }: { user: User }) {
  const [name, setName] = useState(user.name ?? '');
  const [phone, setPhone] = useState(user.phone ?? '');

  async function save(values: Values) {
    const saved = await call('put', '/api/me', {
      body: { name: values.name ?? null, phone: values.phone ?? null } });
    setMe(saved);
    setName(saved.name ?? '');
    setPhone(saved.phone ?? ''); // as the shop writes it: +234 803 …
    toast('Saved.', { kind: 'good' });
  }

  return (
    <section class="card stack" aria-labelledby="details">
      <h2 id="details">Your details</h2>
      <div>
        <p class="field-label">Email</p>
        <p dir="auto">{user.email}</p>
      </div>
      <Form submit="Save" onSubmit={save} sayAt={(code) => (
        code === 'phone_taken' ? 'This phone number belongs to another account.' : undefined)}>
        <Field name="name" label="Name" autocomplete="name" dir="auto" maxLength={100} value={name}
          onInput={(event) => setName(event.currentTarget.value)} />
        <Field name="phone" type="tel" label="Phone" autocomplete="tel" value={phone}
          hint="For questions about your order. You can log in with it, too."
          onInput={(event) => setPhone(event.currentTarget.value)} />
      </Form>
    </section>
  );
}

export function AccountPage() {
  const { route } = useLocation();
  const user = me.value!;

  async function end() {
    await logOut();
    route('/');
    toast('You are logged out.', { kind: 'good' });
  }

  return (
    <Page title="Account" class="narrow stack">
      <a class="card to-orders" href="/orders">
        <ReceiptText size={20} aria-hidden="true" /><span class="grow">Your orders</span>
        <ChevronRight size={20} aria-hidden="true" />
      </a>
      <Details user={user} />
      <Invite code={user.referral_code} />
      <ChangePassword />
      <Button class="full" onClick={end}><LogOut size={18} aria-hidden="true" /> Log out</Button>
    </Page>
  );
}
