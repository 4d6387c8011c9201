/* A sentence that stays: what is wrong, waited for, or done. Never colour alone: each has its
 * icon. */
import type { ComponentChildren } from 'preact';
import { CircleAlert, CircleCheck, Clock3, Info } from 'lucide-preact';

const ICONS = { bad: CircleAlert, good: CircleCheck, wait: Clock3, plain: Info };

export interface NoticeProps {
  kind: keyof typeof ICONS;
  role?: 'alert' | 'status';
  class?: string;
  children: ComponentChildren;
}

export function Notice({ kind, role, class: name = '', children }: NoticeProps) {
  const Icon = ICONS[kind];
  return (
    <div class={`notice ${kind} ${name}`} role={role}>
      <Icon size={20} aria-hidden="true" />
      <div class="grow">{children}</div>
    </div>
  );
}
