import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { copyOf } from '../../lib/text.js'
import type { RunningOperations } from '../operations.js'
import type { CallSink, CallWriter } from '../resolvers/sinks.js'
import { traceIdOf } from '../running-operation.js'
import { graphqlSourceOf, type ResolverSpan } from '../sample.js'
import { isTimed, type SelfMeasuring } from '../self-measurement.js'
import { countArguments } from './arguments.js'
import { durationOf, hasFailed } from './measurements.js'

/** More resolvers than schemas have. Names that come and go make it begin anew. */
const KNOWN_LIMIT = 2000

export interface ResolverSpanSink extends SelfMeasuring, CallSink {
  readonly operations: RunningOperations
}

interface KnownResolver {
  /** `Type.field`. */
  readonly name: string
  readonly writer: CallWriter
}

/** Records the spans that OpenTelemetry's GraphQL instrumentation makes of resolver calls. */
export class ResolverSpans {
  readonly #sink: ResolverSpanSink
  /** By type and by field: to put the two together for each span would be a good part of what it costs. */
  readonly #known = new Map<string, Map<string, KnownResolver>>()
  #knownCount = 0

  constructor(sink: ResolverSpanSink) {
    this.#sink = sink
  }

  /** Records a span that has ended, unless its call was measured by itself or is one of the monitor's own fields. */
  record(span: ReadableSpan, resolver: ResolverSpan): void {
    const sink = this.#sink
    const running = sink.operations.of(span)
    if (running?.isMeasured || sink.operations.isOwn(resolver)) return
    const { name, writer } = this.#known.get(resolver.parentType)?.get(resolver.field) ?? this.#meet(resolver)
    const duration = durationOf(span)
    const failed = hasFailed(span)
    if (isTimed(sink.detail)) {
      const traceId = traceIdOf(span, running)
      // A span does not know what ran inside it.
      writer.write(sink.now(), duration, failed, countArguments(graphqlSourceOf(span)), traceId, 0, 0, duration)
      if (duration >= sink.loggedFrom) sink.log(name, duration, failed, traceId)
    } else {
      sink.counted(name, failed, 0)
    }
    running?.resolved(span.spanContext().spanId, { executionTime: duration / 1e9, resolverName: name })
  }

  #meet({ parentType, field }: ResolverSpan): KnownResolver {
    if (this.#knownCount >= KNOWN_LIMIT) {
      this.#known.clear()
      this.#knownCount = 0
    }
    this.#knownCount += 1
    const name = copyOf(`${parentType}.${field}`)
    const met = { name, writer: this.#sink.callWriter(name) }
    let ofType = this.#known.get(parentType)
    if (ofType === undefined) this.#known.set(copyOf(parentType), (ofType = new Map<string, KnownResolver>()))
    ofType.set(copyOf(field), met)
    return met
  }
}
