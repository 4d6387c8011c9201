// Where the built programs are, and running one of them.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';

export const buildDir = process.env.SERVERY_BUILD
  ? resolve(process.env.SERVERY_BUILD)
  : fileURLToPath(new URL('../../build', import.meta.url));

// Runs a program of the build directory, or of an absolute path, to its end, without blocking this
// process (whose servers it may be talking to). Resolves with {code, signal, stdout, stderr, ms}.
export function run(path, args, options = {}) {
  const started = performance.now();
  return new Promise((done, fail) => {
    const stdio = ['ignore', 'pipe', 'pipe'];
    const child = spawn(resolve(buildDir, path), args, { stdio, ...options });
    const out = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8');
      child[name].on('data', (text) => { out[name] += text; });
    }
    child.on('error', fail);
    child.on('close', (code, signal) =>
      done({ code, signal, ...out, ms: performance.now() - started }));
  });
}
