import type { TraceId } from '../measurement.js'
import type { RunningOperations } from '../operations.js'
import type { SelfMeasuring } from '../self-measurement.js'
import type { DirectContextManager } from '../context-manager.js'
import type { Execution } from './execution.js'
import type { KeptOperation } from './kept.js'
import type { SpanEnded } from './span.js'

export type DirectContexts = Pick<DirectContextManager, 'active' | 'enter' | 'leave'>

/** Where the calls of one resolver go. */
export interface CallWriter {
  /**
   * Takes a call: when it ended (monotonic), how long it took, for how long one of its SQL statements was running, and how
   * long it took less that and the calls inside it; nanoseconds. Not an object, which would be most of what it costs.
   */
  write(
    endedAt: number,
    duration: number,
    failed: boolean,
    argsCount: number,
    traceId: TraceId,
    statements: number,
    sqlTime: number,
    selfTime: number
  ): void
}

/** Where the executions of one operation go. */
export interface OperationWriter {
  /** Takes an execution: when it ended (monotonic), how long it took, and how many SQL statements it sent; nanoseconds. */
  write(endedAt: number, duration: number, failed: boolean, traceId: TraceId, statements: number): void
}

/** Where the calls of resolvers are recorded, whoever measured them. */
export interface CallSink {
  /** Monotonic nanoseconds. */
  now(): number
  /** What takes the calls of the resolver `name`. */
  callWriter(name: string): CallWriter
  /** Calls that took so many nanoseconds or more are to be logged. */
  readonly loggedFrom: number
  log(name: string, duration: number, failed: boolean, traceId: TraceId): void
  /** Counts a call that was not timed, and the SQL statements that it sent. */
  counted(name: string, failed: boolean, statements: number): void
}

/** Where resolver calls go. */
export interface ResolverSink extends SelfMeasuring, CallSink {
  readonly operations: RunningOperations
  /** How many calls of one operation are exported as spans; the others are counted on the operation's. */
  readonly maxResolverSpans: number
  /** How to enter contexts quickly, where the process's context manager can; else it is done through the API. */
  readonly contexts: DirectContexts | undefined
  /** What takes the spans of calls that are exported; where the SDK is not ours, it makes and takes them itself. */
  readonly spanEnded: SpanEnded | undefined
  /** Whether anything may be loaded that sends SQL, so that calls need contexts. */
  readonly sendsSql: boolean
  succeeded(): void
  caught(error: unknown): void
}

/** The same, and when resolvers have to be looked for anew. */
export interface SchemaSink extends ResolverSink {
  /** Grows whenever resolvers may have been put into a schema that was executed before. */
  readonly schemaVersion: number
}

/** How an execution ended. */
export interface ExecutionEnd {
  /** Monotonic nanoseconds. */
  readonly endedAt: number
  readonly failed: boolean
}

export interface SlowTraceExport {
  /** What an operation that begins is kept in, with at most `calls` of its calls; undefined where it is not to be kept. */
  keep(calls: number): KeptOperation | undefined
  /** Takes back what was kept of an operation that has ended and exports it, unless it is not `wanted`. */
  ended(execution: Execution, wanted: ExecutionEnd | undefined): void
}

/** Where operations and resolver calls go. */
export interface ExecutionSink extends SchemaSink {
  /** Whether anything is measured now. */
  accepts(): boolean
  /** Whether measuring is switched on; it may be off for a while even so, after faults. */
  readonly isEnabled: boolean
  /** What exports operations that were not sampled, but were slow or failed; undefined where nothing is exported. */
  readonly slowTraces: SlowTraceExport | undefined
  /** From now on queries may be sent. */
  foundSqlClient(): void
  /** What takes the executions of the operation `name`; `type` is `query`, `mutation` or `subscription`. */
  operationWriter(name: string, type: string): OperationWriter
  /** Takes an execution that ended at `endedAt`, monotonic nanoseconds; how long it took is known to it. */
  executed(execution: Execution, endedAt: number, failed: boolean): void
  /** `nanoseconds` of one call of a loader's batch function, for the field `Type.field` of `size` objects. */
  batch(name: string, size: number, nanoseconds: number, failed: boolean): void
}
