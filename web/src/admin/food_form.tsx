/* What a dish is made of, in fields. What is typed is kept in the tab; only what was changed is
 * sent. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { CallError, type Food, call, newKey } from '../api';
import { count } from '../language';
import { Button } from '../parts/button';
import { Field, Form } from '../parts/form';
import { Notice } from '../parts/notice';
import { Switch } from '../parts/switch';
import { inTab } from '../state/kept';
import { foods, loadMenu, putFood } from '../state/menu';
import { shop } from '../state/shop';
import { toast } from '../state/toast';
import { explain } from '../words';
import {
  type Draft, type Picture, changesOf, conflictText, draftOf, follow, isSame, keepDraft, keptDraft, keptPicture,
} from './food_draft';
import { ImagePicker } from './image_picker';
import { blobOf } from './picture';

const DESCRIPTION_MAX = 2000;

class PictureRefused extends Error {}

async function sendPicture(food: Food, picture: Picture): Promise<Food> {
  if (picture === null)
    return food;
  try {
    return picture === '' ? await call('delete', '/api/foods/{id}/image', { id: food.id })
      : await call('put', '/api/foods/{id}/image', { id: food.id, file: blobOf(picture) });
  } catch (error) {
    throw new PictureRefused(error instanceof CallError && error.status === 413
      ? 'This picture is too large. Please choose another.' : explain(error));
  }
}

/* Everything that is typed, where it began, and what the tab keeps of it. */
function useDraft(food: Food | null) {
  const kept = useRef(keptDraft(food?.id ?? null));
  const id = food?.id ?? null;
  const [base, setBase] = useState<Food | null>(kept.current?.base ?? food);
  const [draft, setDraft] = useState<Draft>(kept.current?.draft ?? draftOf(food));
  const [picture, setPicture] = useState<Picture>(kept.current ? keptPicture(id) : null);
  const isChanged = picture !== null || !isSame(draft, draftOf(base));
  const isSaved = useRef(false);
  useEffect(() => {
    if (!isSaved.current)
      keepDraft(id, isChanged ? { draft, base } : null, picture);
  }, [draft, picture, base]);
  const forget = () => {
    isSaved.current = true;
    keepDraft(id, null, null);
  };
  const startOver = () => {
    kept.current = null;
    const newest = base && base.version > (food?.version ?? 0) ? base : food;
    setBase(newest);
    setDraft(draftOf(newest));
    setPicture(null);
  };
  const set = (change: Partial<Draft>) => setDraft((had) => ({ ...had, ...change }));
  return { base, setBase, draft, set, picture, setPicture, isChanged, forget, startOver, wasKept: kept.current !== null };
}

type DraftState = ReturnType<typeof useDraft>;

/* Sends it; an edit of somebody else to the same members is told once, and then overwritten. */
function useSave(state: DraftState) {
  const { base, setBase, draft, set, picture } = state;
  const wish = useRef({ text: '', key: '' });

  const create = async (body: ReturnType<typeof changesOf>) => {
    const text = JSON.stringify(body);
    if (wish.current.text !== text)
      wish.current = { text, key: newKey() };
    return call('post', '/api/foods', { body: { name: '', price: 0, ...body }, key: wish.current.key });
  };

  const change = async (from: Food): Promise<Food> => {
    const body = changesOf(draft, base);
    if (!Object.keys(body).length)
      return from;
    try {
      return await call('put', '/api/foods/{id}', { id: from.id, body: { ...body, version: from.version } });
    } catch (error) {
      if (!(error instanceof CallError) || error.code !== 'version_conflict')
        throw error;
      const theirs = await call('get', '/api/foods/{id}', { id: from.id });
      const both = conflictText(body, from, theirs);
      if (!both)
        return change(theirs);
      set(follow(draft, from, theirs));
      setBase(theirs);
      putFood(theirs);
      throw new CallError(409, { detail:
        `Somebody else has just changed this too: ${both}. What you typed is still here; save again to set it.` });
    }
  };

  return async () => {
    const saved = base ? await change(base) : await create(changesOf(draft, null));
    putFood(saved);
    setBase(saved);
    const whole = await sendPicture(saved, picture);
    putFood(whole);
    return whole;
  };
}

function Details({ draft, set }: Pick<DraftState, 'draft' | 'set'>) {
  const categories = [...new Set((foods.value ?? []).map((food) => food.category))];
  const list = useId();
  const left = DESCRIPTION_MAX - [...draft.description].length;
  return (
    <>
      <Field name="name" label="Name" required maxLength={200} dir="auto" autoComplete="off" value={draft.name}
        onInput={(event) => set({ name: event.currentTarget.value })} />
      <Field name="price" label="Price" required inputMode="decimal" autoComplete="off" prefix={shop.value?.currency}
        value={draft.price} onInput={(event) => set({ price: event.currentTarget.value })} />
      <Field name="category" label="Category" list={list} dir="auto" autoComplete="off" placeholder="Other" value={draft.category}
        hint="Dishes of one category stand together on the menu." onInput={(event) => set({ category: event.currentTarget.value })} />
      <datalist id={list}>{categories.map((name) => <option key={name} value={name} />)}</datalist>
      <Field name="description" label="Description" long dir="auto" value={draft.description}
        hint={left < 0 ? `${-left} characters too many.` : `What is in it, and allergens. ${count(left)} characters left.`}
        onInput={(event) => set({ description: event.currentTarget.value })} />
    </>
  );
}

function Supply({ draft, set }: Pick<DraftState, 'draft' | 'set'>) {
  return (
    <>
      <div class="field switch-field">
        <span class="field-label" aria-hidden="true">On sale</span>
        <Switch label="On sale" checked={draft.available} onChange={(available) => set({ available })} />
      </div>
      <div class="field switch-field">
        <span class="field-label" aria-hidden="true">Count the stock</span>
        <Switch label="Count the stock" checked={draft.counted} onChange={(counted) => set({ counted })} />
      </div>
      {draft.counted && (
        <Field name="stock" label="In stock" required inputMode="numeric" autoComplete="off" value={draft.stock}
          hint="It counts down with every order, and the dish is sold out at 0."
          onInput={(event) => set({ stock: event.currentTarget.value })} />
      )}
    </>
  );
}

function Unsaved({ state }: { state: DraftState }) {
  if (!state.isChanged)
    return null;
  return (
    <Notice kind="wait" class="unsaved">
      <p>{state.wasKept ? 'What you had typed is back, and not saved yet.' : 'Not saved yet. It is kept in this tab.'}
        {' '}<Button kind="quiet" onClick={state.startOver}>Start over</Button></p>
    </Notice>
  );
}

export function FoodForm({ food }: { food: Food | null }) {
  const state = useDraft(food);
  const save = useSave(state);
  const [pictureError, setPictureError] = useState<string | null>(null);
  const { route } = useLocation();
  const { draft, picture, base } = state;
  const send = async () => {
    setPictureError(null);
    try {
      const saved = await save();
      state.forget();
      inTab.set('menu.at', saved.id);
      toast(`${saved.name} is saved.`, { kind: 'good' });
      void loadMenu();
      route('/admin/menu');
    } catch (error) {
      if (!(error instanceof PictureRefused))
        throw error;
      setPictureError(`All but the picture is saved. ${error.message}`);
    }
  };
  return (
    <Form class="food-form" submit={food || base ? 'Save' : 'Put it on the menu'} onSubmit={send}>
      <ImagePicker src={picture ?? base?.image_url ?? null} alt={draft.name} error={pictureError}
        onPick={state.setPicture} onRemove={() => state.setPicture(base?.image_url ? '' : null)} />
      <div class="form-fields"><Details draft={draft} set={state.set} /><Supply draft={draft} set={state.set} /></div>
      <Unsaved state={state} />
    </Form>
  );
}
