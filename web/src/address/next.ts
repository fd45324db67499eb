// Where to go after signing in: a path of this server, never another site.
export function safeNext(next: string | null): string {
  if (!next || !next.startsWith('/') || /^\/[/\\]/.test(next) || /[\u0000-\u001f]/.test(next)) return '/';
  return next;
}
