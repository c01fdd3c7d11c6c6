import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { LRUCache } from 'lru-cache'
import { anonymousName, boundedOperationName } from '../resolvers/document.js'
import type { RunningOperation } from '../running-operation.js'
import { graphqlSourceOf, operationOf, type OperationSpan } from '../sample.js'

const CACHED_SOURCES = 200
const LONGEST_CACHED_SOURCE = 4096

/** What the series of operations are called whose spans other instrumentations make. */
export class OperationNames {
  readonly #anonymous = new LRUCache<string, string>({ max: CACHED_SOURCES })

  /** The name that the client gave the operation, bounded, or a hash of its text. */
  of(span: ReadableSpan, { name }: OperationSpan): string {
    return name === undefined ? this.#anonymousName(graphqlSourceOf(span)) : boundedOperationName(name)
  }

  /** That of an operation that runs; null where its span is none of one that is known. */
  ofRunning(running: RunningOperation): string | null {
    if (running.seriesName === undefined) {
      const operation = operationOf(running.span)
      running.seriesName = operation === undefined ? null : this.of(running.span, operation)
    }
    return running.seriesName
  }

  #anonymousName(source: string): string {
    const known = this.#anonymous.get(source)
    if (known !== undefined) return known
    const name = anonymousName(source)
    if (source.length <= LONGEST_CACHED_SOURCE) this.#anonymous.set(source, name)
    return name
  }
}
