// Exports one collection of metrics by OpenTelemetry's SDK: node export.mjs http|proto BASE_URL NAME [delta]
// Prints what the SDK's own log says at warning level or above, one line each; exits 1 when the export failed.
import { diag, DiagLogLevel } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'

const [encoding, baseUrl, name, temporality] = process.argv.slice(2)
const { OTLPMetricExporter } = await import(`@opentelemetry/exporter-metrics-otlp-${encoding}`)

const say = (...words) => console.log(words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' '))
const quiet = () => undefined
diag.setLogger({ error: say, warn: say, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN)

const exporter = new OTLPMetricExporter({
  url: baseUrl,
  compression: encoding === 'proto' ? 'gzip' : 'none',
  temporalityPreference: temporality === 'delta' ? 0 : 1,
})
const provider = new MeterProvider({
  resource: resourceFromAttributes({
    'service.name': name,
    'service.namespace': 'lab',
    'service.instance.id': 'rank-0',
    'host.name': 'node-7',
    'gpu.indexes': [0, 1],
  }),
  views: [
    {
      instrumentName: 'spread',
      aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
    },
  ],
  readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 })],
})

const meter = provider.getMeter('trainer', '1.2.3')
const tokens = meter.createCounter('train.tokens', { unit: '{token}', description: 'Tokens seen.' })
tokens.add(1000, { 'phase.name': 'warm up' })
tokens.add(24, { 'phase.name': 'warm up' })
meter.createUpDownCounter('queue.length').add(-3)
meter.createGauge('gpu.memory.used', { unit: 'By' }).record(8.5e9, { gpu: 0 })
const steps = meter.createHistogram('step.time', {
  unit: 's',
  advice: { explicitBucketBoundaries: [0.1, 1, 10] },
})
for (const seconds of [0.05, 0.5, 0.5, 20]) steps.record(seconds)
if (temporality === 'spread') meter.createHistogram('spread').record(4)
meter.createObservableGauge('loss', { unit: '1' }).addCallback((result) => result.observe(1.25, { split: 'train' }))

try {
  await provider.forceFlush()
  await provider.shutdown()
} catch (error) {
  say('failed:', String(error))
  process.exit(1)
}
