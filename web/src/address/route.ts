// Which page an address means.
export const alertViews = ['active', 'silences', 'history', 'receivers', 'rules'] as const;
export type AlertView = (typeof alertViews)[number];

export type Route =
  | { readonly page: 'overview' }
  | { readonly page: 'host'; readonly instance: string | null }
  | { readonly page: 'explore' }
  | { readonly page: 'targets' }
  | { readonly page: 'alerts'; readonly view: AlertView }
  | { readonly page: 'status' }
  | { readonly page: 'unknown' };

export function parseRoute(path: string): Route {
  const [first = '', second, ...more] = path.replace(/^\//, '').split('/');
  if (more.length > 0) return { page: 'unknown' };
  if (first === 'hosts') {
    const instance = second ? decoded(second) : null;
    return { page: 'host', instance };
  }
  if (first === 'alerts') {
    const view = alertViews.find((name) => name === (second || 'active'));
    return view ? { page: 'alerts', view } : { page: 'unknown' };
  }
  if (second !== undefined && second !== '') return { page: 'unknown' };
  if (first === '') return { page: 'overview' };
  if (first === 'explore' || first === 'targets' || first === 'status') return { page: first };
  return { page: 'unknown' };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;  // a lone % typed by hand
  }
}

export function hostPath(instance: string): string {
  return `/hosts/${encodeURIComponent(instance)}`;
}
