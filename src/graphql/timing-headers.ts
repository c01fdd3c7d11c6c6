import type { OperationCost } from '../spans/measurement.js'
import { isAdministrator, type CallerContext } from './access.js'
import type { FieldsOptions } from './resolvers.js'

interface Reply {
  readonly request?: { readonly headers?: object }
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
 *
 * @param asksFor the request header without which nobody is asked who the caller is: a login of the application's own may
 * take long
 */
export function addTimingHeaders(
  host: ResolutionHost,
  { reader, authorize }: FieldsOptions,
  asksFor: 'authorization' | 'x-server-timing'
): void {
  host.addHook('onResolution', async (_execution, context) => {
    const { reply } = context
    if (!isReply(reply) || !(asksFor in (reply.request?.headers ?? {}))) return
    const cost = reader.costOf(context)
    if (cost === undefined || !(await isAdministrator(authorize, context))) return
    addHeaders(reply, cost)
  })
}

function isReply(reply: Partial<Reply> | undefined): reply is Reply {
  return typeof reply?.header === 'function' && typeof reply.getHeader === 'function'
}

/** A request may hold several operations: their entries stand side by side. */
function addHeaders(reply: Reply, cost: OperationCost): void {
  const before = reply.getHeader('server-timing')
  const entries = Array.isArray(before) ? before.map(String) : typeof before === 'string' ? [before] : []
  reply.header('server-timing', [...entries, serverTiming(cost)].join(', '))
  reply.header('x-trace-id', cost.trace.id)
}

/** https://www.w3.org/TR/server-timing/; durations in milliseconds. */
function serverTiming({ duration, statements, sqlTime, trace }: OperationCost): string {
  const milliseconds = (nanoseconds: number): string => (nanoseconds / 1e6).toFixed(3)
  return [
    `graphql;dur=${milliseconds(duration)}`,
    `sql;dur=${milliseconds(sqlTime)};desc="${statements} statements"`,
    `trace;desc="${trace.id}${trace.isExported ? ';exported' : ''}"`
  ].join(', ')
}
