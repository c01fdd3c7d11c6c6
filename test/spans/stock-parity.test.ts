import { test, type Test } from 'tap'
import { PRELOAD, startPeer } from '../peer.js'
import { varied, type Request } from './stock-parity/operations.js'
import type { Counts } from './stock-parity/service.js'

const file = new URL('./stock-parity/service.ts', import.meta.url)
const sdk = new URL('./stock-parity/sdk.ts', import.meta.url).href

const operations = varied(200, 7)
/** A second time, for then graphql-jit executes what it has compiled. */
const requests: readonly Request[] = [...operations, ...operations]

const counted = async (t: Test, preload: string, environment: Record<string, string>): Promise<Counts> =>
  (await startPeer(t, file, { preload: [preload], environment })).ask<Counts>(requests)

const arms = ['preload', 'preload, graphql-jit', 'SDK of its own', 'SDK of its own, graphql-jit']

test("200 varied operations give the same counts through OpenTelemetry's resolver spans and through ours", async t => {
  const [stock, ...ours] = await Promise.all([
    // Under graphql-jit, OpenTelemetry's instrumentation makes no spans, so its counts are those of graphql-js.
    counted(t, sdk, { SPANS: 'stock', JIT: '0' }),
    counted(t, PRELOAD, { JIT: '0' }),
    counted(t, PRELOAD, { JIT: '1' }),
    counted(t, sdk, { SPANS: 'ours', JIT: '0' }),
    counted(t, sdk, { SPANS: 'ours', JIT: '1' })
  ])
  for (const [index, counts] of ours.entries()) t.strictSame(counts, stock, arms[index] ?? '')

  const total = (rows: readonly (readonly unknown[])[], column: number): number =>
    rows.reduce((sum, row) => sum + Number(row[column]), 0)
  t.equal(total(stock.operations, 2), requests.length)
  t.ok(total(stock.operations, 3) > 20 && total(stock.resolvers, 2) > 20, 'errors among them')
  t.ok(stock.operations.length > 50 && stock.resolvers.length > 15, 'varied')
})
