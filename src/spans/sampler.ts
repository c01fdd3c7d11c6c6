import { diag } from '@opentelemetry/api'
import { getNumberFromEnv, getStringFromEnv } from '@opentelemetry/core'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  createAlwaysRecordSampler,
  type Sampler
} from '@opentelemetry/sdk-trace'
import { isOnlyTraced } from './sample.js'

/**
 * The sampler that `OTEL_TRACES_SAMPLER` names, made to record what it would drop: sampling decides what is exported,
 * never what is measured. Without `measuring()`, and for spans that only a trace needs, it is the plain sampler.
 */
export function createSampler(measuring: () => boolean): Sampler {
  const exporting = samplerFromEnvironment()
  const recording = createAlwaysRecordSampler(exporting)
  return {
    shouldSample: (context, traceId, name, kind, attributes, links) => {
      const isRecording = measuring() && !isOnlyTraced(name, kind, attributes)
      return (isRecording ? recording : exporting).shouldSample(context, traceId, name, kind, attributes, links)
    },
    toString: () => recording.toString()
  }
}

function samplerFromEnvironment(): Sampler {
  const name = getStringFromEnv('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on'
  const make = samplers.get(name)
  if (make === undefined)
    diag.warn(`OTEL_TRACES_SAMPLER is "${name}": expected one of ${[...samplers.keys()].join(', ')}`)
  return (make ?? parentBasedAlwaysOn)()
}

const parentBasedAlwaysOn = (): Sampler => new ParentBasedSampler({ root: new AlwaysOnSampler() })

const samplers = new Map<string, () => Sampler>([
  ['always_on', () => new AlwaysOnSampler()],
  ['always_off', () => new AlwaysOffSampler()],
  ['traceidratio', () => new TraceIdRatioBasedSampler(ratio())],
  ['parentbased_always_on', parentBasedAlwaysOn],
  ['parentbased_always_off', () => new ParentBasedSampler({ root: new AlwaysOffSampler() })],
  ['parentbased_traceidratio', () => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio()) })]
])

function ratio(): number {
  const given = getNumberFromEnv('OTEL_TRACES_SAMPLER_ARG') ?? 1
  if (given >= 0 && given <= 1) return given
  diag.warn(`OTEL_TRACES_SAMPLER_ARG is ${given}: expected a number from 0 to 1; taking 1`)
  return 1
}
