import { test, type Test } from 'tap'
import { MEBIBYTE } from '../heap.js'
import { PRELOAD, startPeer, type Peer } from '../peer.js'
import type { References } from './heap/keep.js'
import type { Order, Retained } from './heap/service.js'

const FEW = 10_000
const MANY = 1_000_000

const start = (t: Test, JIT: string, exporter?: string): Promise<Peer> =>
  startPeer(t, new URL('./heap/service.ts', import.meta.url), {
    preload: [PRELOAD],
    environment: { JIT, ...(exporter === undefined ? {} : { OTEL_TRACES_EXPORTER: exporter }) },
    // In a process of its own, where nothing but the operations moves the heap.
    flags: ['--expose-gc']
  })

for (const [engine, JIT] of [
  ['graphql-js', '0'],
  ['graphql-jit', '1']
] as const) {
  test(`${engine}: the heap after ${MANY} operations equals that after ${FEW}`, { timeout: 170_000 }, async t => {
    const service = await start(t, JIT)
    const before = await service.ask<Retained>({ operations: FEW } satisfies Order)
    const after = await service.ask<Retained>({ operations: MANY - FEW } satisfies Order)
    t.equal(after.counted, MANY)
    const grown = after.bytes - before.bytes
    t.ok(grown < MEBIBYTE / 2, `grew by ${grown} bytes`)
  })

  test(`${engine}: no result, arguments, context or info outlives its operation`, { timeout: 120_000 }, async t => {
    for (const exporter of [undefined, 'console']) {
      const service = await start(t, JIT, exporter)
      const { noted, alive } = await service.ask<References>({ references: true } satisfies Order)
      t.ok(noted > 5000, `${noted} noted`)
      t.strictSame(alive, {}, exporter === undefined ? 'nothing exported' : 'everything exported')
    }
  })
}
