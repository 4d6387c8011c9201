/* Saying that what a payment needed is done, with a note for whoever looks later. */
import { Check } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type AdminPayment, call, CallError } from '../api';
import { Button } from '../parts/button';
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

function NoteForm({ payment, onDone, onChange, onStale, onLeave }: ResolveProps & { onLeave: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [note, setNote] = useState('');
  const isRefund = payment.refund_due && !payment.needs_attention;
  useEffect(() => box.current?.querySelector('textarea')?.focus(), []);
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
    toast('The note is kept with the payment.', { kind: 'good' });
    onLeave();
  };
  return (
    <div ref={box} class="paid-question" onKeyDown={(event) => event.key === 'Escape' && onLeave()}>
      <Form onSubmit={send} say={say} submit={isRefund ? 'It is paid back' : 'It is done'}>
        <Field name="note" long maxLength={NOTE_MAX} value={note} dir="auto"
          label={isRefund ? 'How it went back' : 'What you did'}
          hint="Such as: by transfer, receipt 17. It stays with the payment, with your name. This page moves no money."
          onInput={(event) => setNote(event.currentTarget.value)} />
      </Form>
      <div class="row">
        <Button kind="quiet" onClick={onLeave}>Not yet</Button>
        {note.trim() && <Button kind="quiet" onClick={keepNote}>Only keep the note</Button>}
      </div>
    </div>
  );
}

export function Resolve(props: ResolveProps) {
  const [isAsked, setAsked] = useState(false);
  const button = useRef<HTMLDivElement>(null);
  if (isAsked)
    return (
      <NoteForm {...props} onLeave={() => {
        setAsked(false);
        requestAnimationFrame(() => button.current?.querySelector('button')?.focus());
      }} />
    );
  const isRefund = props.payment.refund_due && !props.payment.needs_attention;
  return (
    <div ref={button}>
      <Button kind={isRefund ? 'main' : 'plain'} onClick={() => setAsked(true)}>
        <Check size={20} aria-hidden="true" /> {isRefund ? 'Mark as refunded' : 'Mark as done'}
      </Button>
    </div>
  );
}

/* Takes a resolution back. */
export function Reopen({ payment, onChange, onStale, children }: {
  payment: AdminPayment; onChange: (payment: AdminPayment) => void; onStale: () => void; children: string;
}) {
  const reopen = async () => {
    try {
      onChange(await put(payment, { resolved: false }));
    } catch (error) {
      if (isStale(error))
        onStale();
      throw error;
    }
  };
  return <Button onClick={reopen}>{children}</Button>;
}
