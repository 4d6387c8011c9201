/* Keeps the tablet's screen on while a page is looked at, where the browser can (https only). */
import { useEffect } from 'preact/hooks';

export function useAwake() {
  useEffect(() => {
    let isOver = false;
    let lock: WakeLockSentinel | undefined;
    const ask = async () => {
      if (document.hidden || !navigator.wakeLock)
        return;
      // A battery that is nearly empty says no.
      const got = await navigator.wakeLock.request('screen').catch(() => undefined);
      if (isOver)
        void got?.release();
      lock = got;
    };
    void ask();
    document.addEventListener('visibilitychange', ask);
    return () => {
      isOver = true;
      document.removeEventListener('visibilitychange', ask);
      void lock?.release();
    };
  }, []);
}
