import type { ResolverMeasurement } from '../measurement.js'
import type { RunningOperations } from '../operations.js'
import type { SelfMeasuring } from '../self-measurement.js'
import type { DirectContextManager } from '../context-manager.js'
import type { Execution } from './execution.js'

export type DirectContexts = Pick<DirectContextManager, 'enter' | 'leave'>

/** Where resolver calls go. */
export interface ResolverSink extends SelfMeasuring {
  readonly operations: RunningOperations
  /** How many calls of one operation are exported as spans; the others are counted on the operation's. */
  readonly maxResolverSpans: number
  /** How to enter contexts quickly, where the process's context manager can; else it is done through the API. */
  readonly contexts: DirectContexts | undefined
  /** Whether anything may be loaded that sends SQL, so that calls need contexts. */
  readonly sendsSql: boolean
  succeeded(): void
  /** Monotonic nanoseconds. */
  now(): number
  /** What takes the calls of the resolver `name`; it keeps nothing of what it is given. */
  resolverRecorder(name: string): (measurement: ResolverMeasurement) => void
  /** Counts a call that was not timed, and the SQL statements that it sent. */
  counted(name: string, failed: boolean, statements: number): void
  caught(error: unknown): void
}

/** The same, and when resolvers have to be looked for anew. */
export interface SchemaSink extends ResolverSink {
  /** Grows whenever resolvers may have been put into a schema that was executed before. */
  readonly schemaVersion: number
}

/** Where operations and resolver calls go. */
export interface ExecutionSink extends SchemaSink {
  accepts(): boolean
  /** From now on queries may be sent. */
  foundSqlClient(): void
  /** `nanoseconds` of one execution, which sent `execution.statements` SQL statements. */
  executed(execution: Execution, nanoseconds: number, failed: boolean): void
  /** `nanoseconds` of one call of a loader's batch function, for the field `Type.field` of `size` objects. */
  batch(name: string, size: number, nanoseconds: number, failed: boolean): void
}
