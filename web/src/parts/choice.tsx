/* One of a few, all in sight: a filter, a period. */
import { useId } from 'preact/hooks';
import { count } from '../language';

export interface ChoiceProps<V extends string> {
  label: string; // what is chosen; not shown
  options: { value: V; text: string; count?: number }[];
  value: V;
  onValue: (value: V) => void;
}

export function Choice<V extends string>({ label, options, value, onValue }: ChoiceProps<V>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input type="radio" name={name} checked={option.value === value}
            onChange={() => onValue(option.value)} />
          <span>{option.text}{option.count !== undefined && <b class="number">{count(option.count)}</b>}</span>
        </label>
      ))}
    </fieldset>
  );
}
