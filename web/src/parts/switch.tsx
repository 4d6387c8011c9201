/* On or off, at once. The word says what the knob shows. */
export interface SwitchProps {
  label: string; // what is switched
  checked: boolean;
  onChange: (checked: boolean) => void;
  words?: [string, string]; // off, on
}

export function Switch({ label, checked, onChange, words = ['Off', 'On'] }: SwitchProps) {
  return (
    <button class="switch" type="button" role="switch" aria-checked={checked} aria-label={label}
      onClick={() => onChange(!checked)}>
      <span class="switch-track" aria-hidden="true"><span /></span>
      <span class="switch-word" aria-hidden="true">{words[checked ? 1 : 0]}</span>
    </button>
  );
}
