/* The kitchen's board: every open order in the column of its status, live, readable from afar. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { CircleAlert } from 'lucide-preact';
import type { Order, OrderStatus } from '../api';
import { plural } from '../format';
import { Load } from '../parts/load';
import { useLost } from '../parts/lost';
import { Page } from '../parts/page';
import { STATUS } from '../parts/status';
import { useAwake } from './awake';
import { bell, turnOff, turnOn, warn } from './bell';
import { BellControl, Keys, KeysButton, Silence } from './board_bar';
import {
  columns, isLoaded, load, move, moves, orders, problem, touch, untouched,
} from './board_state';
import { useFeed } from './feed';
import { noteColumn } from './hasty';
import { numbers } from './numbers';
import { COLUMNS, type Column, nextStep, type OpenStatus } from './steps';
import { TicketCard } from './ticket';
import { Todo, useTodo } from './todo';

const TODO_EVERY_MS = 60_000;
const TODO_SOON_MS = 1000; // new orders may come in swarms

function advanceNumber(number: number) {
  const [id] = [...numbers.peek()].find(([, other]) => other === number) ?? [];
  const order = id === undefined ? undefined : orders.peek().get(id);
  const step = order && !moves.peek().has(order.id) && nextStep(order.status, order.fulfilment);
  if (order && step)
    void move(order, step.to);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement
    && target.matches('input, textarea, select, [contenteditable]');
}

/* The keys of the board; returns whether they are being shown. */
function useKeys(): [boolean, (isOpen: boolean) => void] {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
        return;
      if (/^[1-9]$/.test(event.key))
        advanceNumber(Number(event.key));
      else if (event.key === '?')
        setOpen((was) => !was);
      else if (event.key === 'Escape')
        setOpen(false);
      else if (event.key.toLowerCase() === 's')
        touch(...untouched.peek());
      else if (event.key.toLowerCase() === 'b')
        void (bell.peek() === 'on' ? turnOff() : turnOn());
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return [isOpen, setOpen];
}

function useWarning(isLost: boolean) {
  const warns = isLost && bell.value === 'on';
  useEffect(() => (warns ? warn() : undefined), [warns]);
}

/* What a screen reader hears when something comes or goes on by itself. */
function Announcer() {
  const [words, setWords] = useState('');
  const known = useRef<Map<number, OrderStatus> | null>(null);
  useEffect(() => {
    if (!isLoaded.value)
      return;
    const had = known.current;
    const open = [...orders.value.values()];
    known.current = new Map(open.map(({ id, status }) => [id, status]));
    const said = !had ? [] : open.flatMap(({ id, status, fulfilment, items }) => {
      if (!had.has(id))
        return [`New order ${id}, ${fulfilment}, ${plural(items.length, 'dish', 'dishes')}.`];
      return had.get(id) === status ? [] : [`Order ${id}: ${STATUS[status].word}.`];
    });
    if (said.length)
      setWords(said.slice(0, 3).join(' '));
  }, [orders.value, isLoaded.value]);
  return <p class="visually-hidden" role="status" aria-live="polite">{words}</p>;
}

/* Draws anew only when something about this order changes: the board may hold hundreds. */
function Slot({ order, status }: { order: Order; status: OpenStatus }) {
  const isMoving = moves.value.has(order.id);
  const isNew = untouched.value.has(order.id);
  const number = numbers.value.get(order.id);
  return useMemo(() => (
    <TicketCard order={order} status={status} isMoving={isMoving} isNew={isNew} number={number} />
  ), [order, status, isMoving, isNew, number]);
}

function useNotedPlaces(open: Order[]) {
  const before = useRef<number[]>([]);
  useLayoutEffect(() => {
    const now = open.map(({ id }) => id);
    noteColumn(before.current, now, performance.now());
    before.current = now;
  }, [open]);
}

function BoardColumn({ column, isChosen }: { column: Column; isChosen: boolean }) {
  const { status, title, calm } = column;
  const open = columns.value[status];
  const { icon: Icon } = STATUS[status];
  useNotedPlaces(open);
  return (
    <section class={`column ${open.length ? '' : 'calm'} ${isChosen ? 'chosen' : ''}`}
      aria-labelledby={`column-${status}`}>
      <h2 id={`column-${status}`}>
        <Icon size={20} aria-hidden="true" /> {title}{' '}
        <span class="column-count number">{open.length}</span>
      </h2>
      {open.length ? (
        <ul class="tickets">
          {open.map((order) => <li key={order.id}><Slot order={order} status={status} /></li>)}
        </ul>
      ) : <p class="column-calm">{calm}</p>}
    </section>
  );
}

function Tabs({ chosen, choose }: { chosen: OpenStatus; choose: (status: OpenStatus) => void }) {
  return (
    <nav class="column-tabs" aria-label="Columns">
      {COLUMNS.map(({ status, title }) => {
        const n = columns.value[status].length;
        const calls = status === 'pending' && untouched.value.size > 0;
        return (
          <button key={status} type="button" aria-pressed={chosen === status}
            class={calls ? 'calls' : ''} onClick={() => choose(status)}>
            <span class="number column-tab-count">{n}</span> {title}
          </button>
        );
      })}
    </nav>
  );
}

function Lost({ isLost }: { isLost: boolean }) {
  return (
    <div role="alert">
      {isLost && (
        <p class="board-lost">
          <CircleAlert size={40} aria-hidden="true" />
          <span>
            <strong>No connection.</strong> New orders are not shown and do not ring. Trying again …
          </span>
        </p>
      )}
    </div>
  );
}

function useBoard() {
  const todo = useTodo();
  const soon = useRef<ReturnType<typeof setTimeout>>();
  const state = useFeed({
    onOrder: (order) => {
      if (order.status !== 'pending')
        return;
      clearTimeout(soon.current); // its payment has been confirmed
      soon.current = setTimeout(() => void todo.reload(), TODO_SOON_MS);
    },
    onPayment: () => void todo.reload(),
    onStale: () => void todo.reload(),
  });
  useEffect(() => {
    const timer = setInterval(() => void todo.reload(), TODO_EVERY_MS);
    return () => {
      clearInterval(timer);
      clearTimeout(soon.current);
    };
  }, []);
  return { todo, state };
}

export function BoardPage() {
  const { todo, state } = useBoard();
  const [areKeysShown, showKeys] = useKeys();
  const [chosen, choose] = useState<OpenStatus>('pending');
  const isLost = useLost(state);
  useWarning(isLost);
  useAwake();
  const read = { data: isLoaded.value || null, error: problem.value, reload: load, set: () => {} };
  return (
    <Page title="Board" heading={null} class="wide board">
      <div class="board-bar">
        <h1>Board</h1>
        <Todo from={todo} />
        <span class="grow" />
        <Silence />
        <BellControl isLive={!isLost} />
        <KeysButton isOpen={areKeysShown} onClick={() => showKeys(!areKeysShown)} />
      </div>
      {areKeysShown && <Keys />}
      <Lost isLost={isLost} />
      <Announcer />
      <Load from={read} what="Reading the orders …">
        {() => (
          <>
            <Tabs chosen={chosen} choose={choose} />
            <div class="columns">
              {COLUMNS.map((column) => (
                <BoardColumn key={column.status} column={column}
                  isChosen={column.status === chosen} />
              ))}
            </div>
          </>
        )}
      </Load>
    </Page>
  );
}
