import { X } from 'lucide-preact';
import { dismiss, toasts } from '../state/toast';
import { keepFocus } from './focus';

function leave(id: number) {
  dismiss(id);
  keepFocus(null);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, kind, action }) => (
        <div key={id} class={`toast ${kind}`}>
          <span class="grow">{text}</span>
          {action && (
            <button class="button quiet" type="button" onClick={() => {
              leave(id);
              action.run();
            }}>{action.label}</button>
          )}
          <button class="icon-button" type="button" aria-label="Dismiss" onClick={() => leave(id)}>
            <X size={18} aria-hidden="true" />
          </button>
        </div>
      ))}
    </div>
  );
}
