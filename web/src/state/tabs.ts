/* What the tabs of one browser tell each other. */
type Listener = (message: unknown) => void;

const channels = new Map<string, { channel: BroadcastChannel; listeners: Set<Listener> }>();

function open(name: string) {
  let entry = channels.get(name);
  if (!entry) {
    const listeners = new Set<Listener>();
    const channel = new BroadcastChannel(`servery.${name}`);
    channel.onmessage = ({ data }) => listeners.forEach((listener) => listener(data));
    entry = { channel, listeners };
    channels.set(name, entry);
  }
  return entry;
}

export function tell(name: string, message: unknown) {
  open(name).channel.postMessage(message);
}

/* What the other tabs say; returns how to stop listening. */
export function listen(name: string, listener: Listener): () => void {
  const { listeners } = open(name);
  listeners.add(listener);
  return () => listeners.delete(listener);
}
