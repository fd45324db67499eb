// Who this browser is to the server. The question is open to everyone, so a role of "public" says that the key
// expired, was revoked, or was never given.
import { fetchJson, signIn } from './fetch_json.ts';

export interface WhoAmI {
  readonly name: string;
  readonly role: string;
  readonly open: boolean;  // no key exists yet: none is asked
}

export async function whoAmI(): Promise<WhoAmI> {
  const body = (await fetchJson('/api/binnacle/v1/whoami')) as Partial<WhoAmI>;
  return { name: body.name ?? '', role: body.role ?? '', open: body.open ?? false };
}

// To the sign-in page when that is why the server refuses us. A server that is away answers later.
export async function signInIfNobody(): Promise<void> {
  const who = await whoAmI().catch(() => null);
  if (who && who.role === 'public' && !who.open) signIn();
}
