// Tells the server that somebody looks at a node: its agent then collects every second for a while.
import { askNodes } from './nodes.ts';

const everyMs = 20_000;  // the server keeps one look for 30 s

async function lookAt(name: string): Promise<void> {
  const node = (await askNodes()).find((candidate) => candidate.name === name && candidate.state === 'up');
  if (node) await fetch(`/api/binnacle/v1/nodes/${node.id}/look`, { method: 'POST' });
}

// Until the returned function is called. A host without an agent is nobody's business, and a look that does not arrive
// costs nothing but detail.
export function keepLookingAt(name: string): () => void {
  const look = () => {
    if (!document.hidden) lookAt(name).catch(() => {});
  };
  look();
  const timer = setInterval(look, everyMs);
  return () => clearInterval(timer);
}
