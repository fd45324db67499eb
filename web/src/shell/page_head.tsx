import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

interface PageHeadProps {
  readonly title: string;
  readonly detail: string;
  readonly children?: ComponentChildren;
}

export function PageHead({ title, detail, children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · Binnacle`;
  }, [title]);
  return (
    <div class="page-head">
      <h1>{title}</h1>
      <span class="page-detail">{detail}</span>
      {children}
    </div>
  );
}
