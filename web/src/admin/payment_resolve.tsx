/* Saying that what a payment needed is done, with a note for whoever looks later. */
import { useState } from 'preact/hooks';
import { type AdminPayment, call, CallError } from '../api';
import { Button, useBusy } from '../parts/button';
import { Field, Form } from '../parts/form';
import { toast } from '../state/toast';

const NOTE_MAX = 500; // characters that the server takes

export interface ResolveProps {
  payment: AdminPayment;
  onDone: (payment: AdminPayment) => void;
  onChange: (payment: AdminPayment) => void;
  onStale: () => void; // somebody else was quicker: read again
}

const put = (payment: AdminPayment, body: { resolved?: boolean; note?: string }) =>
  call('put', '/api/admin/payments/{id}', { id: payment.id, body: { ...body, version: payment.version } });

const isStale = (error: unknown) => error instanceof CallError && error.code === 'version_conflict';

export function Resolve({ payment, onDone, onChange, onStale }: ResolveProps) {
  const isRefund = payment.refund_due && !payment.needs_attention;
  const [note, setNote] = useState('');
  const say = (error: CallError) => (isStale(error)
    ? 'Something has come in about this payment meanwhile. It now shows what; your note is kept. Please look again.'
    : undefined);
  const send = async () => {
    try {
      onDone(await put(payment, { resolved: true, note: note.trim() || undefined }));
    } catch (error) {
      if (isStale(error))
        onStale();
      throw error;
    }
  };
  const keepNote = async () => {
    onChange(await put(payment, { note: note.trim() }));
    setNote('');
    toast('The note is kept with the payment.', { kind: 'good' });
  };
  return (
    <Form class="pay-resolve" onSubmit={send} say={say} submit={isRefund ? 'Mark as refunded' : 'Mark as done'}>
      <Field name="note" long maxLength={NOTE_MAX} value={note} dir="auto"
        label={isRefund ? 'How it went back' : 'What you did'}
        placeholder={isRefund ? 'Transfer, receipt 17' : 'Paid back by transfer, receipt 17'}
        hint="Stays with the payment, with your name and the time. This page moves no money."
        onInput={(event) => setNote(event.currentTarget.value)} />
      {note.trim() && <Button kind="quiet" onClick={keepNote}>Only keep the note, it is not done yet</Button>}
    </Form>
  );
}

/* Takes a resolution back. */
export function Reopen({ payment, onChange, onStale, children }: {
  payment: AdminPayment; onChange: (payment: AdminPayment) => void; onStale: () => void; children: string;
}) {
  const [busy, run] = useBusy();
  return (
    <Button kind="quiet" busy={busy} onClick={() => void run(async () => {
      try {
        onChange(await put(payment, { resolved: false }));
      } catch (error) {
        if (isStale(error))
          onStale();
        throw error;
      }
    })}>{children}</Button>
  );
}
