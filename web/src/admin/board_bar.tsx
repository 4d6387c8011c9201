/* The top of the board: the bell, what waits elsewhere, and the keys. */
import { Bell, BellOff, BellRing, Keyboard, Volume2 } from 'lucide-preact';
import { Button } from '../parts/button';
import { bell, ringOnce, turnOff, turnOn } from './bell';
import { touch, untouched } from './board_state';

/* The newest may be far down in its column. */
function silence() {
  const [first] = untouched.peek();
  touch(...untouched.peek());
  document.getElementById(`order-${first}`)?.closest('.ticket')?.scrollIntoView({ block: 'nearest' });
}

export function Silence() {
  const n = untouched.value.size;
  return n && bell.value === 'on' ? (
    <Button class="silence" onClick={silence}>
      <BellRing size={20} aria-hidden="true" /> Silence <span class="number">({n} new)</span>
    </Button>
  ) : null;
}

export function BellControl({ isLive }: { isLive: boolean }) {
  switch (bell.value) {
    case 'off':
      return (
        <Button kind="main" onClick={turnOn}>
          <BellOff size={20} aria-hidden="true" /> Turn the bell on
        </Button>
      );
    case 'waiting':
      return (
        <Button class="bell-waits" onClick={turnOn}>
          <BellOff size={20} aria-hidden="true" /> Tap to let the bell ring
        </Button>
      );
    case 'on':
      return (
        <span class="bell-on">
          <Button kind="quiet" aria-pressed={true} title="Turn the bell off" onClick={turnOff}>
            <Bell size={20} aria-hidden="true" />{' '}
            <span class="bell-word">{isLive ? 'Bell is on' : 'Bell: no connection'}</span>
          </Button>
          <button class="icon-button" type="button" aria-label="Test the bell" title="Test the bell"
            onClick={ringOnce}><Volume2 size={20} aria-hidden="true" /></button>
        </span>
      );
  }
}

const KEYS: [string, string][] = [
  ['1 to 9', 'Next step of the order with that number'],
  ['S', 'Silence the bell'],
  ['B', 'Turn the bell on or off'],
  ['?', 'Show or hide these keys'],
];

export function KeysButton({ isOpen, onClick }: { isOpen: boolean; onClick: () => void }) {
  return (
    <button class="icon-button keys-button" type="button" aria-label="Keys" title="Keys (?)"
      aria-expanded={isOpen} aria-controls="board-keys" onClick={onClick}>
      <Keyboard size={20} aria-hidden="true" />
    </button>
  );
}

export function Keys() {
  return (
    <dl id="board-keys" class="keys">
      {KEYS.map(([key, what]) => (
        <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>
      ))}
    </dl>
  );
}
