/* Forms: a field shows what is wrong with it beside itself, everything else stands above. What was
 * typed stays. */
import { type ComponentChildren, createContext, type JSX } from 'preact';
import { useContext, useEffect, useId, useRef, useState } from 'preact/hooks';
import { CallError } from '../api';
import { ended, explain } from '../words';
import { useBusy } from './button';
import { Notice } from './notice';

type FieldErrors = Record<string, ComponentChildren>;
const Errors = createContext<FieldErrors>({});

export type Values = Record<string, string>;

export interface FormProps {
  submit: ComponentChildren; // on the button: what it will do
  /* The values that were filled in, by field name. A CallError that it throws is shown. */
  onSubmit: (values: Values) => Promise<unknown>;
  /* Other words for an error, above the fields; undefined: the usual ones. */
  say?: (error: CallError) => ComponentChildren | undefined;
  /* Other words for what is wrong with a field; undefined: the usual ones. */
  sayAt?: (code: string, error: CallError) => ComponentChildren | undefined;
  children: ComponentChildren;
  class?: string;
  disabled?: boolean;
}

type Control = HTMLInputElement | HTMLTextAreaElement;

/* The controls that show an error beside themselves. */
function fieldsOf(form: HTMLFormElement): Control[] {
  return [...form.querySelectorAll<Control>('[data-field]')];
}

function complaint(control: Control): string {
  if (control.validity.valueMissing)
    return 'Please fill this in.';
  if (control.validity.typeMismatch && control.type === 'email')
    return 'This is not an email address.';
  if (control.validity.tooShort)
    return `At least ${control.minLength} characters, please.`;
  return control.validationMessage;
}

/* What can be said without asking the server. */
function complaints(form: HTMLFormElement): FieldErrors {
  return Object.fromEntries(fieldsOf(form).filter((control) => !control.validity.valid)
    .map((control) => [control.name, complaint(control)]));
}

function errorsAt(form: HTMLFormElement, error: CallError, sayAt: FormProps['sayAt']): FieldErrors {
  const names = fieldsOf(form).map((control) => control.name);
  const found: FieldErrors = {};
  for (const { field, code, detail } of error.rows)
    if (field && names.includes(field))
      found[field] ??= sayAt?.(code, error) ?? ended(detail);
  return found;
}

export function Form(props: FormProps) {
  const { submit, onSubmit, say, sayAt, children, class: name = '', disabled } = props;
  const form = useRef<HTMLFormElement>(null);
  const [errors, setErrors] = useState<FieldErrors>({});
  const [problem, setProblem] = useState<ComponentChildren>(null);
  const [busy, run] = useBusy();

  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid=true], .form-problem')?.focus();
  }, [errors, problem]);

  async function send() {
    const element = form.current!;
    const wrong = complaints(element);
    setErrors(wrong);
    setProblem(null);
    if (Object.keys(wrong).length || !element.reportValidity())
      return;
    const filled = [...new FormData(element)].filter(([, value]) => value !== '');
    try {
      await onSubmit(Object.fromEntries(filled) as Values);
    } catch (error) {
      if (!(error instanceof CallError) || !form.current)
        throw error;
      const own = say?.(error);
      const at = own === undefined ? errorsAt(element, error, sayAt) : {};
      setErrors(at);
      if (!Object.keys(at).length)
        setProblem(own ?? explain(error));
    }
  }

  return (
    <form ref={form} class={`form ${name}`} noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void run(send);
      }}>
      {problem && (
        <div class="form-problem" tabIndex={-1}>
          <Notice kind="bad" role="alert">{problem}</Notice>
        </div>
      )}
      <Errors.Provider value={errors}>{children}</Errors.Provider>
      <button class="button main" type="submit" aria-busy={busy || undefined} disabled={disabled}>
        {submit}{busy && <span class="spinner" aria-hidden="true" />}
      </button>
    </form>
  );
}

/* What a control needs to show what is wrong with it: its attributes, and what follows it. */
export function useField(name: string, hint?: ComponentChildren) {
  const id = useId();
  const error = useContext(Errors)[name];
  const said = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return {
    control: {
      id, name, 'data-field': '',
      'aria-describedby': said || undefined,
      'aria-invalid': error ? true : undefined,
    },
    below: (
      <>
        {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
        {error && <p class="field-error" id={`${id}-error`}>{error}</p>}
      </>
    ),
  };
}

type InputProps = JSX.InputHTMLAttributes<HTMLInputElement>;
type TextareaProps = JSX.TextareaHTMLAttributes<HTMLTextAreaElement>;

export interface FieldProps extends Omit<InputProps, 'label' | 'class' | 'prefix'> {
  name: string;
  label: ComponentChildren;
  hint?: ComponentChildren;
  long?: boolean; // several lines
  prefix?: ComponentChildren; // before what is typed, such as the currency
  action?: ComponentChildren; // a button at the end of the field
}

/* One labelled input; `long` makes it a textarea. */
export function Field({ name, label, hint, long, prefix, action, ...rest }: FieldProps) {
  const { control, below } = useField(name, hint);
  const common = { ...control, ...rest };
  return (
    <div class="field">
      <label for={control.id}>{label}</label>
      <div class={`field-box ${action ? 'with-action' : ''}`}>
        {prefix && <span class="field-prefix">{prefix}</span>}
        {long ? <textarea rows={3} {...(common as unknown as TextareaProps)} />
          : <input {...(common as InputProps)} />}
        {action}
      </div>
      {below}
    </div>
  );
}
