// Asking the server over HTTP. An answer that is not data becomes an Error whose message can be shown.
export interface Change {
  readonly method: 'POST' | 'DELETE';
  readonly body?: unknown;
}

// Null for an answer without a body.
export async function fetchJson(address: string, how?: AbortSignal | Change): Promise<unknown> {
  const response = await ask(address, 'application/json', how);
  try {
    const text = await response.text();
    return text === '' ? null : JSON.parse(text);
  } catch {
    throw new Error('The server sent an answer that is not JSON.');
  }
}

export async function fetchText(address: string, signal?: AbortSignal): Promise<string> {
  return (await ask(address, 'text/plain', signal)).text();
}

async function ask(address: string, accept: string, how?: AbortSignal | Change): Promise<Response> {
  const signal = how instanceof AbortSignal ? how : null;
  const change = how instanceof AbortSignal ? undefined : how;
  const content: Record<string, string> = change?.body === undefined ? {} : { 'Content-Type': 'application/json' };
  let response: Response;
  try {
    response = await fetch(address, { method: change?.method ?? 'GET', headers: { Accept: accept, ...content }, signal,
      body: change?.body === undefined ? null : JSON.stringify(change.body) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Error('The server does not answer.');
  }
  if (response.status === 401) signIn();
  if (!response.ok) throw new Error(await reasonOf(response));
  return response;
}

// The key expired or was revoked while the page was open.
export function signIn(): void {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

async function reasonOf(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json();
    if (typeof body === 'string') return body;  // as Alertmanager tells errors
    if (typeof body === 'object' && body !== null && 'error' in body) return String(body.error);
  } catch {
    // No JSON: the status has to do.
  }
  return `The server answered ${response.status} ${response.statusText}.`;
}
