/* Copies a text. navigator.clipboard wants https, and a shop in the house may have none. */
import { Copy as CopyIcon } from 'lucide-preact';
import { toast } from '../state/toast';
import { Button } from './button';

function copyBySelection(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  return isCopied;
}

/* Says that it is copied, or that it could not be. */
export async function copy(text: string, done: string) {
  const isCopied = navigator.clipboard
    ? await navigator.clipboard.writeText(text).then(() => true, () => false)
    : copyBySelection(text);
  if (isCopied)
    toast(done, { kind: 'good' });
  else
    toast('The browser does not allow copying. Mark the text and copy it by hand.',
      { kind: 'bad' });
}

export function Copy({ text, what }: { text: string; what: string }) {
  return (
    <Button kind="quiet" class="copy" onClick={() => copy(text, `Copied: ${what}.`)}
      aria-label={`Copy ${what}`}>
      <CopyIcon size={18} aria-hidden="true" /> Copy
    </Button>
  );
}
