/* One of a few, as large cards with an icon: radio buttons to the keyboard and screen readers. */
import type { LucideIcon } from 'lucide-preact';
import { CircleCheck } from 'lucide-preact';

export interface Option<V extends string> {
  value: V;
  icon: LucideIcon;
  title: string;
  text: string;
}

export interface CardsProps<V extends string> {
  name: string;
  label: string;
  options: Option<V>[];
  value: V | null;
  onChange: (value: V) => void;
}

export function Cards<V extends string>({ name, label, options, value, onChange }: CardsProps<V>) {
  return (
    <fieldset>
      <legend class="field-label">{label}</legend>
      <div class="cards-row">
        {options.map(({ value: own, icon: Icon, title, text }) => (
          <label key={own} class="big-choice">
            <input type="radio" name={name} value={own} checked={own === value} required
              onChange={() => onChange(own)} />
            <span class="big-choice-frame" aria-hidden="true" />
            <Icon size={28} strokeWidth={1.75} aria-hidden="true" />
            <span class="grow">
              <strong>{title}</strong><span class="quiet small">{text}</span>
            </span>
            <CircleCheck class="big-choice-mark" size={22} aria-hidden="true" />
          </label>
        ))}
      </div>
    </fieldset>
  );
}
