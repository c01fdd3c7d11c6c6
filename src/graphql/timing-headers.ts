import type { OperationCost } from '../spans/operations.js'
import { isAdministrator, type CallerContext } from './access.js'
import type { FieldsOptions } from './resolvers.js'

interface Reply {
  getHeader(name: string): unknown
  header(name: string, value: string): unknown
}

type OnResolution = (execution: unknown, context: CallerContext & { readonly reply?: Partial<Reply> }) => Promise<void>

/** The part of Mercurius' `app.graphql` that is used. */
export interface ResolutionHost {
  addHook(name: 'onResolution', hook: OnResolution): void
}

/**
 * Tells administrators what each of their operations cost, where browsers look for it and a trace can be found:
 * `Server-Timing` and `X-Trace-Id`. Nobody else gets them: how long something took may tell what is there.
 */
export function addTimingHeaders(host: ResolutionHost, { reader, authorize }: FieldsOptions): void {
  host.addHook('onResolution', async (_execution, context) => {
    const { reply } = context
    if (reply?.header === undefined || reply.getHeader === undefined) return
    const cost = reader.costOf(context)
    if (cost === undefined || !(await isAdministrator(authorize, context))) return
    addHeaders(reply as Reply, cost)
  })
}

/** A request may hold several operations: their entries stand side by side. */
function addHeaders(reply: Reply, cost: OperationCost): void {
  const before = reply.getHeader('server-timing')
  const entries = serverTiming(cost)
  reply.header('server-timing', typeof before === 'string' ? `${before}, ${entries}` : entries)
  reply.header('x-trace-id', cost.traceId)
}

/** https://www.w3.org/TR/server-timing/; durations in milliseconds. */
function serverTiming({ duration, statements, sqlTime, traceId, isExported }: OperationCost): string {
  const milliseconds = (nanoseconds: number): string => (nanoseconds / 1e6).toFixed(3)
  const trace = isExported ? `${traceId};exported` : traceId
  return [
    `graphql;dur=${milliseconds(duration)}`,
    `sql;dur=${milliseconds(sqlTime)};desc="${statements} statements"`,
    `trace;desc="${trace}"`
  ].join(', ')
}
