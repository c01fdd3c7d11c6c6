import { context } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'

/** Does `work`, which is the monitor's own and neither to be measured nor traced. */
export function untraced<Result>(work: () => Promise<Result>): Promise<Result> {
  return context.with(suppressTracing(context.active()), work)
}
