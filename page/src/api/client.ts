// Asks the API, with the token where there is one. A token stays in this tab only.
import type { ProblemBody } from "./shapes";

const TOKEN = "plimsoll.token";
/** Longest wait for an answer; the server ends its own after 30 s. */
const TIMEOUT_MS = 40_000;

export function token(): string | null {
  return sessionStorage.getItem(TOKEN);
}

export function keepToken(value: string): void {
  sessionStorage.setItem(TOKEN, value);
}

export function authorized(headers: Record<string, string> = {}): Record<string, string> {
  const known = token();
  return known ? { ...headers, authorization: `Bearer ${known}` } : headers;
}

/** What went wrong: an answer that says so, or none at all (status 0). */
export class Problem extends Error {
  constructor(readonly status: number, readonly body: ProblemBody) {
    super(body.detail ?? body.title ?? `HTTP ${status}`);
  }
}

export interface Asked {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Called when the API wants a token, or another one. */
let onUnauthorized = () => {};

export function whenUnauthorized(then: () => void): void {
  onUnauthorized = then;
}

/** HTTP's status and the JSON of an answer, whatever it says. */
export async function answer(path: string, { method = "GET", body, headers = {}, signal }: Asked = {}): Promise<{ status: number; body: unknown }> {
  const sent = body === undefined ? headers : { ...headers, "content-type": "application/json" };
  const until = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(path, {
    method,
    headers: authorized(sent),
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: signal ? AbortSignal.any([signal, until]) : until,
  });
  if (response.status === 401) onUnauthorized();
  return { status: response.status, body: await response.json().catch(() => ({ title: `HTTP ${response.status}` })) };
}

/** The JSON of a good answer. */
export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const found = await answer(path, asked);
  if (found.status >= 400) throw new Problem(found.status, found.body as ProblemBody);
  return found.body as T;
}

/** A key nobody else uses; `crypto.randomUUID` is not there over plain HTTP. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
