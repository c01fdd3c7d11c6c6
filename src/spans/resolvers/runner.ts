import { context, SpanStatusCode, type Span } from '@opentelemetry/api'
import type { ExecutionResult } from 'graphql'
import { DROPPED_RESOLVER_SPANS } from '../sample.js'
import { begin, end, type Execution } from './execution.js'
import type { ExecutionSink } from './sinks.js'

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
  const began = sink.meter.operations.choose() ? sink.now() : 0
  const ended = (result: ExecutionResult | undefined): void => {
    try {
      end(execution)
      const failed = result === undefined || (result.errors?.length ?? 0) > 0
      const now = sink.now()
      execution.endedAt = now
      execution.duration = Math.round(now - start)
      sink.executed(execution, execution.duration, failed)
      if (!execution.facts.isOwn) sink.meter.spans += 1
      endSpan(execution, span, failed)
      if (began !== 0) sink.meter.operations.measured(start - began + sink.now() - now)
    } catch (error) {
      sink.slowTraces?.ended(execution, false, false)
      sink.caught(error)
      sink.lost()
    }
  }
  let result: Result
  begin(contextValue, execution)
  operations.executing += 1
  const start = sink.now()
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
