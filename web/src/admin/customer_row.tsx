/* One account of the table, and what an admin may do with it. */
import { useId, useState } from 'preact/hooks';
import { Ban, ChevronDown, ShieldCheck } from 'lucide-preact';
import { CallError, type User, call } from '../api';
import { date } from '../format';
import { Button } from '../parts/button';
import { Confirm } from '../parts/confirm';
import { Notice } from '../parts/notice';
import { loadMe, me } from '../state/session';
import { toast } from '../state/toast';
import { explain } from '../words';

interface Change {
  label: string;
  yes: string;
  will: string;   // what happens then
  self?: string;  // what happens then to an admin who does it to himself
  done: string;
  harmless?: boolean;
  body: { role?: User['role']; disabled?: boolean; phone?: null };
}

const ENDS = 'The sessions end at once, on every device.';

function changesOf(user: User): Change[] {
  return [
    user.role === 'admin' ? {
      label: 'Remove admin rights', yes: 'Remove admin rights', body: { role: 'user' }, done: 'is a customer again.',
      will: `They can no longer see these pages. ${ENDS}`,
      self: 'This is you. You are logged out at once, and only another admin can let you in here again.',
    } : {
      label: 'Make admin', yes: 'Make admin', harmless: true, body: { role: 'admin' }, done: 'is an admin now.',
      will: 'They can see and change everything here: orders, prices, customers, other admins. They have to log in again.',
    },
    user.disabled ? {
      label: 'Enable', yes: 'Enable', harmless: true, body: { disabled: false }, done: 'can log in again.',
      will: 'They can log in and order again.',
    } : {
      label: 'Disable', yes: 'Disable', body: { disabled: true }, done: 'is disabled.',
      will: `They can no longer log in or order. ${ENDS} Orders that are paid are still made.`,
      self: 'This is you. You are logged out at once and cannot log in again until another admin enables you.',
    },
    ...(user.phone ? [{
      label: 'Remove phone', yes: 'Remove phone', body: { phone: null }, done: 'has no phone number here any more.',
      will: `${user.phone} can no longer be used to log in, and is free for another account.`,
    }] : []),
  ];
}

function sayWhy(error: unknown): string {
  return error instanceof CallError && error.code === 'last_admin'
    ? 'Nothing was changed: this is the last admin, and without one nobody could run the shop. Make somebody else admin first.'
    : explain(error);
}

function Actions({ user, onChange }: { user: User; onChange: (user: User) => void }) {
  const [change, setChange] = useState<Change | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const isMe = me.value?.id === user.id;
  const apply = async ({ body, done }: Change) => {
    try {
      onChange(await call('put', '/api/admin/users/{id}', { id: user.id, body }));
      toast(`${user.name ?? user.email} ${done}`, { kind: 'good' });
      if (isMe)
        void loadMe();
    } catch (error) {
      setProblem(sayWhy(error));
    }
    setChange(null);
  };
  return (
    <div class="stack">
      {problem && <Notice kind="bad" role="alert">{problem}</Notice>}
      {change && (
        <Confirm key={change.label} yes={change.yes} harmless={change.harmless} onNo={() => setChange(null)}
          onYes={() => apply(change)}>
          <p><strong dir="auto">{user.name ?? user.email}</strong>: {isMe && change.self ? change.self : change.will}</p>
        </Confirm>
      )}
      <div class="row" hidden={change !== null}>
        <a class="button" href={`/admin/orders?q=${encodeURIComponent(user.email)}`}>Orders</a>
        {changesOf(user).map((each) => (
          <Button key={Object.keys(each.body)[0]} kind={each.harmless ? 'plain' : 'danger'} onClick={() => {
            setProblem(null);
            setChange(each);
          }}>{each.label}</Button>
        ))}
      </div>
    </div>
  );
}

function Tags({ user }: { user: User }) {
  return (
    <span class="row tags">
      {user.role === 'admin' ? <span class="tag good"><ShieldCheck size={16} aria-hidden="true" /> Admin</span> : 'Customer'}
      {user.disabled && <span class="tag bad"><Ban size={16} aria-hidden="true" /> Disabled</span>}
    </span>
  );
}

export function CustomerRow({ user, onChange }: { user: User; onChange: (user: User) => void }) {
  const [isOpen, setOpen] = useState(false);
  const panel = useId();
  return (
    <>
      <tr class={isOpen ? 'expanded' : ''}>
        <th scope="row">
          <span class="strong" dir="auto">{user.name ?? 'No name'}</span>{me.value?.id === user.id && <span class="quiet"> (you)</span>}
          <span class="customer-email quiet">{user.email}</span>
        </th>
        <td data-label="Phone">{user.phone ?? <span class="quiet">none</span>}</td>
        <td data-label="Joined"><time dateTime={user.created_at}>{date(user.created_at)}</time></td>
        <td data-label="Role"><Tags user={user} /></td>
        <td class="end">
          <button class="button" type="button" aria-expanded={isOpen} aria-controls={isOpen ? panel : undefined}
            aria-label={`Change ${user.name ?? user.email}`} onClick={() => setOpen(!isOpen)}>
            Change <ChevronDown size={18} aria-hidden="true" />
          </button>
        </td>
      </tr>
      {isOpen && <tr id={panel} class="customer-more"><td colSpan={5}><Actions user={user} onChange={onChange} /></td></tr>}
    </>
  );
}
