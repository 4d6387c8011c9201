/* Nothing here yet: a sentence and the way on. */
import type { ComponentChildren } from 'preact';
import type { LucideIcon } from 'lucide-preact';

export function Empty({ icon: Icon, children }: { icon: LucideIcon; children: ComponentChildren }) {
  return <div class="empty"><Icon size={40} strokeWidth={1.5} aria-hidden="true" />{children}</div>;
}
