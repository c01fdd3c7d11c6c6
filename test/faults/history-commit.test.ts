import { test } from 'tap'
import { startWireProxy, through, type WireProxy } from '../database/wire.js'
import { allUpTo } from '../history/numbered.js'
import { startParts } from '../history/parts.js'
import { writeCommits } from './history-report.js'

const full = process.env.RELIABILITY === '1'
const TRIALS = full ? 1_000 : 100
const cuts = ['before its answer', 'before it arrives'] as const

test('the answer to the COMMIT of a flush is lost, again and again', { timeout: 1_800_000 }, async t => {
  let proxy: WireProxy | undefined
  const parts = await startParts(t, {
    via: async (url, port) => through(url, (proxy = await startWireProxy(t, port)))
  })
  await parts.flush()
  const outcomes = cuts.map(cut => ({ cut, trials: 0, committed: 0, repeated: 0, lost: 0, doubled: 0 }))
  let measured = 0
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const outcome = outcomes[trial % cuts.length]
    if (outcome === undefined || proxy === undefined) throw new Error('no proxy')
    // Every third time a minute has ended too.
    if (trial % 3 === 0) await parts.pass(60)
    await parts.measure(1 + (trial % 5))
    const before = measured
    measured += 1 + (trial % 5)
    const { connections } = proxy
    proxy.watch('COMMIT', outcome.cut)
    await parts.writer.write()
    if (parts.outcomes.at(-1) === 'written') outcome.repeated += 1
    else {
      const between = (await parts.held()).resolvers?.count ?? 0
      if (between === measured) outcome.committed += 1
      else t.equal(between, before, 'all of a flush or nothing')
    }
    await parts.flush()
    t.ok(proxy.connections > connections, 'the connection was cut')
    const held = await parts.held()
    const count = held.resolvers?.count ?? 0
    outcome.trials += 1
    outcome.lost += Math.max(0, measured - count)
    outcome.doubled += Math.max(0, count - measured)
    t.strictSame(held, allUpTo(measured))
  }
  t.comment(JSON.stringify(outcomes))
  const [unheard, unsent] = outcomes
  // The next attempt may come at once, and the server may hear of the end before it reads the COMMIT: now and then.
  const few = 0.05 * (TRIALS / 2)
  const found = (unheard?.committed ?? 0) + (unheard?.repeated ?? 0)
  t.ok((unsent?.committed ?? 0) <= few, `where the COMMIT was cut nothing is there: ${unsent?.committed ?? 0}`)
  t.ok(found >= TRIALS / 2 - few, `where its answer was cut all is there: ${found}`)
  t.equal(parts.recorder.dropped, 0)
  if (!full) return
  writeCommits(
    outcomes.map(({ cut, trials, repeated, lost, doubled }) => [
      cut,
      ...[trials, repeated, trials - repeated, lost, doubled].map(String)
    ])
  )
})
