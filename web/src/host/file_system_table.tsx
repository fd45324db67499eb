import { formatValue } from '../data/format.ts';
import { anyOf } from '../data/selector.ts';
import { useFrames } from '../data/sources.ts';
import { fileSystemMetrics, fileSystems } from './file_systems.ts';
import { Bar } from './tiles.tsx';

export function FileSystemTable({ instance }: { readonly instance: string }) {
  const { frames, error } = useFrames([anyOf(fileSystemMetrics, { instance })]);
  const frame = frames[0];
  const rows = frame ? fileSystems(frame) : [];
  return (
    <section class="panel panel-wide" aria-label="File systems">
      <header class="panel-head"><h2>File systems</h2></header>
      {error !== null ? <div class="panel-note panel-error" role="alert">{error}</div>
        : !frame ? <div class="table-skeleton" role="status" aria-label="Loading file systems" />
        : rows.length === 0 ? <div class="panel-note"><strong>No file systems reported.</strong> Check that the collector on this host runs.</div>
        : (
          <div class="table-box" tabIndex={0} role="region" aria-label="File systems, scrollable">
            <table>
              <thead>
                <tr><th scope="col">Mounted on</th><th scope="col" class="only-wide">Device</th><th scope="col" class="only-wide">Type</th>
                  <th scope="col" class="bar-column">Used</th><th scope="col" class="number">Available</th><th scope="col" class="number">Size</th></tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={`${row.device} ${row.mount}`}>
                    <th scope="row" class="long" title={row.mount}>{row.mount}</th>
                    <td class="only-wide long" title={row.device}>{row.device}</td>
                    <td class="only-wide">{row.type}</td>
                    <td class="bar-column"><span class="bar-cell"><Bar ratio={row.usedRatio} /><span>{formatValue(100 * row.usedRatio, 'percent')}</span></span></td>
                    <td class="number">{formatValue(row.availableBytes, 'bytes')}</td>
                    <td class="number">{formatValue(row.sizeBytes, 'bytes')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
    </section>
  );
}
