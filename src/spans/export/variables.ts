import { diag } from '@opentelemetry/api'
import { getNumberFromEnv, getStringFromEnv } from '@opentelemetry/core'

export type Signal = 'TRACES' | 'METRICS' | 'LOGS'
export type Protocol = 'grpc' | 'http/json' | 'http/protobuf'

/** The longest that Node's timers know, in milliseconds; one that is set for longer is called at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

/** Whether the variables ask for a signal to be exported. */
export function isExported(signal: Signal): boolean {
  return [`OTEL_${signal}_EXPORTER`, 'OTEL_EXPORTER_OTLP_ENDPOINT', `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`].some(
    variable => getStringFromEnv(variable) !== undefined
  )
}

/** How a signal leaves over OTLP. */
export function protocolOf(signal: Signal): Protocol {
  const variable = otlpVariable(signal, 'PROTOCOL')
  const protocol = (variable && getStringFromEnv(variable)?.trim()) ?? 'http/protobuf'
  if (protocol === 'grpc' || protocol === 'http/json' || protocol === 'http/protobuf') return protocol
  diag.warn(`${variable ?? ''} is "${protocol}": expected grpc, http/json or http/protobuf; taking the last`)
  return 'http/protobuf'
}

/** The variable that says it for OTLP: that of the signal before that of all; undefined where neither is set. */
export function otlpVariable(signal: Signal, what: 'PROTOCOL' | 'TIMEOUT'): string | undefined {
  return [`OTEL_EXPORTER_OTLP_${signal}_${what}`, `OTEL_EXPORTER_OTLP_${what}`].find(
    name => getStringFromEnv(name) !== undefined
  )
}

/** A whole number from 1 to `highest`. What is no number at all is warned of where it is read. */
export function wholeNumber(variable: string, highest: number): number | undefined {
  const value = getNumberFromEnv(variable)
  if (value === undefined || (Number.isInteger(value) && value > 0 && value <= highest)) return value
  diag.warn(`${variable} is ${value}: expected a whole number from 1 to ${highest}; taking the default`)
  return undefined
}
