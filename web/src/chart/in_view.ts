// Whether an element is on screen, or nearly: what is not costs neither the server nor this browser.
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export function useInView(element: RefObject<Element>): boolean {
  const [inView, setInView] = useState(false);
  useEffect(() => {
    if (!element.current) return;
    const observer = new IntersectionObserver(
      (entries) => setInView(entries[entries.length - 1]?.isIntersecting ?? false),
      { rootMargin: '200px' },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return inView;
}
