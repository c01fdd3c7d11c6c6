import { context, SpanStatusCode, type Span } from '@opentelemetry/api'
import type { ExecutionResult } from 'graphql'
import { DROPPED_RESOLVER_SPANS } from '../sample.js'
import { begin, end, type Execution } from './execution.js'
import type { SchemaSink } from './schema.js'

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

type Outcome = ExecutionResult | Promise<ExecutionResult>

/**
 * Runs `execute` as `execution`, whose resolvers are given `contextValue`, and hands it to `sink` when it is over.
 *
 * @param span the operation's span, where it has to be ended here
 */
export function run<Result extends Outcome>(
  sink: ExecutionSink,
  execution: Execution,
  contextValue: unknown,
  span: Span | undefined,
  execute: () => Result
): Result {
  const { operations } = sink
  const start = sink.now()
  const ended = (result: ExecutionResult | undefined): void => {
    try {
      end(execution)
      const failed = result === undefined || (result.errors?.length ?? 0) > 0
      sink.executed(execution, Math.round(sink.now() - start), failed)
      endSpan(execution, span, failed)
    } catch (error) {
      sink.caught(error)
    }
  }
  let result: Result
  begin(contextValue, execution)
  operations.executing += 1
  try {
    result = needsContext(sink, execution) ? context.with(execution, execute) : execute()
  } catch (error) {
    ended(undefined)
    throw error
  } finally {
    operations.executing -= 1
  }
  if (result instanceof Promise) {
    result.then(ended, () => {
      ended(undefined)
    })
  } else {
    ended(result)
  }
  return result
}

function endSpan({ exportedSpan, droppedCalls }: Execution, span: Span | undefined, failed: boolean): void {
  if (droppedCalls > 0) exportedSpan?.setAttribute(DROPPED_RESOLVER_SPANS, droppedCalls)
  if (failed) span?.setStatus({ code: SpanStatusCode.ERROR })
  span?.end()
}

/** So that SQL which no resolver call sent is told which operation did, and shared context values are told apart. */
function needsContext(sink: ExecutionSink, execution: Execution): boolean {
  return sink.sendsSql || execution.exportedSpan !== undefined || execution.sharesWith !== undefined
}
