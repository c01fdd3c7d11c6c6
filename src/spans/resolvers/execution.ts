import { context, trace, TraceFlags, type Context } from '@opentelemetry/api'
import { copyOf } from '../../lib/text.js'
import type { FieldTiming } from '../operations.js'
import type { OperationFacts } from './document.js'
import { TraceReference } from './trace-id.js'

/** A step of the path to a field in the answer, as graphql-js and graphql-jit both make it. */
export interface Path {
  readonly prev: Path | undefined
  readonly key: string | number
}

/** One operation that is being executed. It holds nothing of the request but what its document says. */
export class Execution {
  readonly facts: OperationFacts
  readonly trace: TraceReference
  /** Whether its spans will be exported. */
  readonly isSampled: boolean
  /** The context in which the resolvers' own contexts stand. */
  readonly context: Context
  /** SQL statements sent so far. */
  statements = 0
  #timings: Map<string, FieldTiming> | undefined

  constructor(facts: OperationFacts, isExporting: boolean, parent: Context = context.active()) {
    const active = trace.getSpan(parent)?.spanContext()
    this.facts = facts
    this.context = parent
    this.trace = new TraceReference(active === undefined ? undefined : copyOf(active.traceId))
    this.isSampled = isExporting && active !== undefined && (active.traceFlags & TraceFlags.SAMPLED) !== 0
  }

  /** Remembers the time of the resolver call at `path`. */
  resolved(path: Path, timing: FieldTiming): void {
    ;(this.#timings ??= new Map()).set(keyOf(path), timing)
  }

  /** The time of the call that returned the object whose field is at `path`. */
  timingAbove(path: Path): FieldTiming | undefined {
    for (let above = path.prev; above !== undefined; above = above.prev) {
      const timing = this.#timings?.get(keyOf(above))
      if (timing !== undefined) return timing
    }
    return undefined
  }
}

function keyOf(path: Path): string {
  return path.prev === undefined ? String(path.key) : `${keyOf(path.prev)}.${path.key}`
}

const EXECUTION = Symbol('mercurius-performance.execution')

interface Carrier {
  [EXECUTION]?: Execution
}

/** The execution that a context value belongs to. */
export function executionOf(contextValue: unknown): Execution | undefined {
  return typeof contextValue === 'object' && contextValue !== null ? (contextValue as Carrier)[EXECUTION] : undefined
}

/**
 * Marks the context value that resolvers will be given; makes one where there is none. Not enumerable, so that nobody
 * copies or prints it. A frozen one cannot be marked: its operation is executed unmeasured.
 */
export function withExecution(contextValue: unknown, execution: Execution): unknown {
  const carrier: unknown = contextValue ?? {}
  if (typeof carrier === 'object' && carrier !== null && Object.isExtensible(carrier)) {
    Object.defineProperty(carrier, EXECUTION, { value: execution, configurable: true, writable: true })
  }
  return carrier
}
