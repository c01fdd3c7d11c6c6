import { SpanStatusCode, context, trace, type Attributes, type Span } from '@opentelemetry/api'
import { TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { resolveConfig, type ConfigPatch } from '../../src/config.js'
import { createMonitor, type Monitor, type MonitorOptions } from '../../src/monitor.js'
import { SpanAggregator } from '../../src/spans/processor.js'
import type { CallWriter } from '../../src/spans/resolvers/sinks.js'

export interface Source {
  readonly monitor: Monitor
  /** Starts a span of the SDK; it is a child of `parent`. */
  readonly start: (name: string, attributes: Attributes, parent?: Span) => Span
  /** Starts and ends one. */
  readonly span: (name: string, attributes: Attributes, options?: { parent?: Span; failed?: boolean }) => void
  readonly resolver: (type: string, field: string, parent?: Span) => void
  readonly query: (text: string, parent?: Span) => void
  readonly operation: (name: string | undefined, source?: string) => Span
}

/** Real SDK spans with the attributes that the instrumentations give them, ended into a monitor of their own. */
export function spanSource(
  patch: ConfigPatch = {},
  options: MonitorOptions = {},
  others: readonly SpanProcessor[] = []
): Source {
  const monitor = createMonitor(resolveConfig({}, { logAllMetrics: false, ...patch }), options)
  const provider = new TracerProvider({ spanProcessors: [new SpanAggregator(monitor), ...others] })
  const tracer = provider.getTracer('test')
  const start: Source['start'] = (name, attributes, parent) => {
    const within = parent === undefined ? context.active() : trace.setSpan(context.active(), parent)
    return tracer.startSpan(name, { attributes }, within)
  }
  const span: Source['span'] = (name, attributes, { parent, failed = false } = {}) => {
    const started = start(name, attributes, parent)
    if (failed) started.setStatus({ code: SpanStatusCode.ERROR, message: 'a value: hunter2' })
    started.end()
  }
  return {
    monitor,
    start,
    span,
    resolver: (type, field, parent) => {
      const attributes = { 'graphql.field.name': field, 'graphql.parent.name': type, 'graphql.source': field }
      span(`graphql.resolve ${field}`, attributes, parent ? { parent } : {})
    },
    query: (text, parent) => {
      span(
        `pg.query:${text.slice(0, 6)} tracker`,
        { 'db.system.name': 'postgresql', 'db.query.text': text },
        parent ? { parent } : {}
      )
    },
    operation: (name, source = '{ issues }') => {
      const started = start('graphql.execute', {})
      started.setAttributes({ 'graphql.operation.type': 'query', 'graphql.source': source })
      if (name !== undefined) started.setAttribute('graphql.operation.name', name)
      return started
    }
  }
}

/**
 * Makes recording resolver calls throw while `isBroken`, as at first. To be called before the first call of a resolver,
 * which is remembered with what records it.
 */
export function breakRecording(monitor: Monitor): { isBroken: boolean } {
  const state = { isBroken: true }
  const callWriter = monitor.callWriter.bind(monitor)
  const breakable = (name: string): CallWriter => {
    const writer = callWriter(name)
    return {
      write: (...call) => {
        if (state.isBroken) throw new Error('broken')
        writer.write(...call)
      }
    }
  }
  Object.assign(monitor, { callWriter: breakable })
  return state
}
