import { context } from '@opentelemetry/api'
import { begin, end } from './context-values.js'
import type { Execution } from './execution.js'
import type { Subscribe } from './modules.js'
import type { ExecutionSink } from './sinks.js'

/**
 * graphql-js' `subscribe` with the call that opens the stream of events measured. The events are executions of their
 * own; opening the stream is none, but what it sends belongs to its operation.
 *
 * @param executionOf the execution that `args` open a stream for; undefined where it is not to be measured
 * @param sink there is none yet when `subscribe` is patched
 */
export function measureSubscribe(
  original: Subscribe,
  executionOf: (args: Parameters<Subscribe>[0]) => Execution | undefined,
  sink: () => ExecutionSink
): Subscribe {
  return (args, ...more) => {
    const execution = more.length > 0 ? undefined : executionOf(args)
    if (execution === undefined) return original(args, ...more)
    begin(args.contextValue, execution)
    const over = (): void => {
      end(execution, sink().operations)
      execution.letGoOfSpan()
    }
    // Always in its own context: it happens once for a whole stream.
    const result = context.with(execution, () => original(args))
    result.then(over, over)
    return result
  }
}
