// Line icons of one weight, drawn on a grid of 20.
const shapes = {
  overview: 'M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z',
  host: 'M3 3.5h14v5H3zM3 11.5h14v5H3zM6 6h.01M6 14h.01M9 6h5M9 14h5',
  explore: 'M3 16.5h14M4.5 13l3.5-4 3 2.5 4.5-6',
  targets: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM10 1v3M10 16v3M1 10h3M16 10h3',
  alerts: 'M10 3a4.8 4.8 0 0 0-4.8 4.8c0 4.2-1.7 5.6-1.7 5.6h13s-1.7-1.4-1.7-5.6A4.8 4.8 0 0 0 10 3zM8.5 16.5a1.7 1.7 0 0 0 3 0',
  status: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 9v5M10 6h.01',
  sun: 'M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 1.8v1.7M10 16.5v1.7M1.8 10h1.7M16.5 10h1.7M4.2 4.2l1.2 1.2M14.6 14.6l1.2 1.2M4.2 15.8l1.2-1.2M14.6 5.4l1.2-1.2',
  moon: 'M16.8 12.2A7.2 7.2 0 0 1 7.8 3.2a7.2 7.2 0 1 0 9 9z',
  system: 'M2.5 4h15v9.5h-15zM7 17h6M10 13.5V17',
  clock: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 5.8V10l2.8 1.8',
  down: 'M5.5 8l4.5 4.5L14.5 8',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d={shapes[name]} /></svg>
  );
}
