/* Calls of the API, typed by docs/openapi.yaml. The session is the HttpOnly cookie, which no script
 * can read: nothing here ever sees or keeps a token. */
import type { Problem, paths } from '../generated/api';
import { reportReached, reportUnreachable } from './state/connection';
import { setServerTime } from './state/clock';

export type * from '../generated/api';

type Method = 'get' | 'post' | 'put' | 'delete';
type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends object ? P : never
}[keyof paths];
type Json<R> = R extends { content: { 'application/json': infer T } } ? T : null;
type Answer<O> = O extends { responses: infer R }
  ? { [S in keyof R & (200 | 201 | 202 | 204)]: Json<R[S]> }[keyof R & (200 | 201 | 202 | 204)]
  : never;
type Body<O> = O extends { requestBody?: { content: { 'application/json': infer T } } } ? T : never;
type Query<O> = O extends { parameters: { query?: infer Q } } ? Q : never;

export interface Options<O = unknown> {
  id?: number; // for {id} in the path
  query?: Query<O>;
  body?: Body<O>;
  file?: Blob; // a body that is no JSON
  key?: string; // Idempotency-Key: the same one for every repetition of one wish
  token?: string; // of a checkout URL: good for one payment alone
  signal?: AbortSignal;
}

/* A problem has members beside the common ones, named with the call in docs/openapi.yaml. */
export type ProblemBody = Problem & Record<string, unknown>;

/* A call that did not do what it was asked to. status 0: there was no answer. */
export class CallError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<ProblemBody>,
    readonly retryAfterS: number | null = null,
  ) {
    super(problem.detail ?? problem.title ?? 'Something went wrong.');
  }

  get code() {
    return this.problem.code;
  }

  get rows() {
    return this.problem.errors ?? [];
  }
}

let session = () => 0;
let onUnauthenticated = () => {};

/* What to do when a call says that nobody is logged in (any more). `which` tells one session from
 * the next: an answer speaks of the one that it was asked with, and comes late when that is
 * over. */
export function whenUnauthenticated(which: () => number, action: () => void) {
  session = which;
  onUnauthenticated = action;
}

function address(path: string, { id, query }: Options): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined && value !== null && value !== '')
      words.set(name, String(value));
  return path.replace('{id}', String(id)) + (words.size ? `?${words}` : '');
}

/* Invisible signs that turn round the text beside them, which the server refuses. They come along
 * with what is pasted: phones put them around numbers. A password stays as it was typed. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

function written(name: string, value: unknown): unknown {
  return typeof value === 'string' && !name.includes('password') ? value.replace(TURNING, '') : value;
}

function request(method: Method, { body, file, key, token, signal }: Options): RequestInit {
  const headers: Record<string, string> = {};
  if (body !== undefined)
    headers['Content-Type'] = 'application/json';
  if (file)
    headers['Content-Type'] = file.type;
  if (key)
    headers['Idempotency-Key'] = key;
  if (token)
    headers.Authorization = `Bearer ${token}`;
  return {
    method: method.toUpperCase(), headers, signal, body: file ?? (body && JSON.stringify(body, written)),
  };
}

function unreachable(): CallError {
  reportUnreachable();
  return new CallError(0, { detail: 'No connection to the shop.' });
}

export async function call<M extends Method, P extends PathOf<M>>(
  method: M, path: P, options: Options<paths[P][M]> = {},
): Promise<Answer<paths[P][M]>> {
  const mine = session();
  let response: Response;
  try {
    response = await fetch(address(path, options as Options), request(method, options as Options));
  } catch (error) {
    if (options.signal?.aborted)
      throw error;
    throw unreachable();
  }
  if (response.status >= 500 && !response.headers.has('X-Request-Id'))
    throw unreachable(); // a proxy answers for a shop that is not there
  reportReached();
  setServerTime(response.headers.get('Date'));
  const answer = response.status === 204 ? null : await response.json().catch(() => undefined);
  if (response.ok && answer === undefined)
    throw unreachable(); // it broke off in the middle
  if (response.ok)
    return answer;
  const isOver = response.status === 401 && answer?.code === 'unauthenticated' && !options.token;
  if (isOver && mine === session())
    onUnauthenticated();
  throw new CallError(response.status, answer ?? {}, Number(response.headers.get('Retry-After')) || null);
}

/* A key for one wish: kept by whoever may have to repeat the call. crypto.randomUUID wants
 * https. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
