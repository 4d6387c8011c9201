/* Forms: a field shows what the server says about it beside itself, everything else stands above. What
 * was typed stays. */
import { type ComponentChildren, createContext, type JSX } from 'preact';
import { useContext, useEffect, useId, useRef, useState } from 'preact/hooks';
import { CallError } from '../api';
import { explain } from '../words';
import { useBusy } from './button';
import { Notice } from './notice';

type FieldErrors = Record<string, string>;
const Errors = createContext<FieldErrors>({});

export type Values = Record<string, string>;

export interface FormProps {
  submit: ComponentChildren; // on the button: what it will do
  /* The values that were filled in, by field name. A CallError that it throws is shown. */
  onSubmit: (values: Values) => Promise<unknown>;
  /* Another sentence for an error; undefined: the usual one. */
  say?: (error: CallError) => string | undefined;
  children: ComponentChildren;
  class?: string;
  disabled?: boolean;
}

function fieldErrors(error: CallError, form: HTMLFormElement): FieldErrors {
  const found: FieldErrors = {};
  for (const { field, detail } of error.rows)
    if (field && form.elements.namedItem(field))
      found[field] = found[field] ? `${found[field]} ${detail}` : detail;
  return found;
}

export function Form({ submit, onSubmit, say, children, class: name = '', disabled }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [errors, setErrors] = useState<FieldErrors>({});
  const [problem, setProblem] = useState('');
  const [busy, run] = useBusy();

  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid=true], .form-problem')?.focus();
  }, [errors, problem]);

  async function send() {
    const filled = [...new FormData(form.current!)].filter(([, value]) => value !== '');
    setErrors({});
    setProblem('');
    try {
      await onSubmit(Object.fromEntries(filled) as Values);
    } catch (error) {
      if (!(error instanceof CallError) || !form.current)
        throw error;
      const own = say?.(error);
      const here = own === undefined ? fieldErrors(error, form.current) : {};
      setErrors(here);
      if (!Object.keys(here).length)
        setProblem(own ?? explain(error));
    }
  }

  return (
    <form ref={form} class={`form ${name}`} noValidate={false}
      onSubmit={(event) => {
        event.preventDefault();
        void run(send);
      }}>
      {problem && <div class="form-problem" tabIndex={-1}><Notice kind="bad" role="alert">{problem}</Notice></div>}
      <Errors.Provider value={errors}>{children}</Errors.Provider>
      <button class="button main" type="submit" aria-busy={busy || undefined} disabled={disabled}>
        {submit}{busy && <span class="spinner" aria-hidden="true" />}
      </button>
    </form>
  );
}

export interface FieldProps extends Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'label' | 'class' | 'prefix'> {
  name: string;
  label: ComponentChildren;
  hint?: ComponentChildren;
  long?: boolean; // several lines
  prefix?: ComponentChildren; // before what is typed, such as the currency
}

/* One labelled input; `long` makes it a textarea. */
export function Field({ name, label, hint, long, prefix, ...rest }: FieldProps) {
  const id = useId();
  const error = useContext(Errors)[name];
  const said = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  const common = {
    id, name, 'aria-describedby': said || undefined, 'aria-invalid': error ? true : undefined, ...rest,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="field-box">
        {prefix && <span class="field-prefix">{prefix}</span>}
        {long ? <textarea rows={3} {...(common as unknown as JSX.TextareaHTMLAttributes<HTMLTextAreaElement>)} />
          : <input {...(common as JSX.InputHTMLAttributes<HTMLInputElement>)} />}
      </div>
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p class="field-error" id={`${id}-error`} role="alert">{error}</p>}
    </div>
  );
}
