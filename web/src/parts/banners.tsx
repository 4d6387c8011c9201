/* What everybody has to know now, under the header. */
import { CloudOff } from 'lucide-preact';
import { reachable } from '../state/connection';

export function Banners() {
  return (
    <div role="status" class="banners no-print">
      {!reachable.value && (
        <p class="banner">
          <CloudOff size={18} aria-hidden="true" />
          No connection to the shop. What you see may be old, and nothing is lost. Trying again …
        </p>
      )}
    </div>
  );
}
