/* A search that answers while one types: no button, no page load. */
import { Search, X } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';

const QUERY_MAX = 100; // characters: they have to fit into an address

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
  label: string; // what is searched
  placeholder?: string; // while the field is empty: the label, where it fits
  value: string;
  onValue: (value: string) => void;
}

/* Escape empties it; "/" anywhere on the page goes there. */
export function SearchField({ label, placeholder = label, value, onValue }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const at = event.target as HTMLElement;
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey
        || at.matches('input, textarea, select'))
        return;
      event.preventDefault();
      input.current?.focus(); // brings it into sight
      input.current?.select();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const clear = () => {
    onValue('');
    input.current?.focus();
  };
  return (
    <div class="search" role="search">
      <Search size={20} aria-hidden="true" />
      <input ref={input} type="search" aria-label={label} aria-keyshortcuts="/"
        placeholder={placeholder} value={value} dir="auto" maxLength={QUERY_MAX}
        autoComplete="off" enterKeyHint="search"
        onInput={(event) => onValue(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && clear()} />
      {value && (
        <button class="icon-button" type="button" aria-label="Clear the search" onClick={clear}>
          <X size={20} aria-hidden="true" />
        </button>
      )}
    </div>
  );
}
