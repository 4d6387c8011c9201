/* A search that answers while one types: no button, no page load. */
import { Search, X } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/* The value once it has stood still for a moment. */
export function useSettled<T>(value: T, ms = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

export interface SearchFieldProps {
  label: string; // what is searched, also shown while the field is empty
  value: string;
  onValue: (value: string) => void;
}

/* Escape empties it; "/" anywhere on the page goes there. */
export function SearchField({ label, value, onValue }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const at = event.target as HTMLElement;
      if (event.key !== '/' || event.ctrlKey || event.metaKey || at.matches('input, textarea, select'))
        return;
      event.preventDefault();
      input.current?.select();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <div class="search" role="search">
      <Search size={20} aria-hidden="true" />
      <input ref={input} type="search" aria-label={label} placeholder={label} value={value} dir="auto"
        autoComplete="off" enterKeyHint="search" onInput={(event) => onValue(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && onValue('')} />
      {value && (
        <button class="icon-button" type="button" aria-label="Empty the search" onClick={() => {
          onValue('');
          input.current?.focus();
        }}><X size={20} aria-hidden="true" /></button>
      )}
    </div>
  );
}
