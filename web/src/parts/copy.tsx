/* Copies a text, where the browser allows that (https). */
import { Copy as CopyIcon } from 'lucide-preact';
import { toast } from '../state/toast';
import { Button } from './button';

export function Copy({ text, what }: { text: string; what: string }) {
  if (!navigator.clipboard)
    return null;
  const copy = () => navigator.clipboard.writeText(text).then(
    () => toast(`Copied: ${what}.`, { kind: 'good' }),
    () => toast('The browser does not allow copying. Mark the text and copy it by hand.',
      { kind: 'bad' }),
  );
  return (
    <Button kind="quiet" class="copy" onClick={copy} aria-label={`Copy ${what}`}>
      <CopyIcon size={18} aria-hidden="true" /> Copy
    </Button>
  );
}
