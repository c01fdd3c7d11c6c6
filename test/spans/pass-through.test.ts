import fc from 'fast-check'
import { test } from 'tap'
import type { Case, Outcome, Outcomes, ScenarioQuestion } from './pass-through/peer.js'
import { sameAsWithout, startPeers } from './pass-through/peers.js'
import { scenarios } from './pass-through/scenarios.js'

const RUNS = 150

const bytes = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: length, size: 'max' })

/** Schemas with what their resolvers do, and queries over them; see ./pass-through/schema.ts and query.ts. */
const cases: fc.Arbitrary<Case> = fc.record({ schema: bytes(400), query: bytes(200) })

test('the instrumentation passes through', { timeout: 120_000 }, async t => {
  const peers = await startPeers(t)
  const { bare, measured } = peers

  t.test('answers, calls and reads over any schema and query, and counts every call', async t => {
    let executed = 0
    const property = fc.asyncProperty(cases, async generated => {
      const [expected, ...found] = await Promise.all(
        [bare, ...measured.values()].map(peer => peer.ask<Outcomes>(generated))
      )
      if (expected === undefined) throw new Error('no process has answered')
      for (const [engine, without] of Object.entries(expected.engines)) {
        executed += 1
        for (const { engines } of found) {
          const problem = differenceOf(without, engines[engine])
          if (problem !== undefined) throw new Error([engine, expected.schema, expected.query, problem].join('\n'))
        }
      }
    })
    const report = await fc.check(property, { numRuns: RUNS, interruptAfterTimeLimit: 60_000 })
    const { seed, counterexamplePath: path, errorInstance } = report
    t.notOk(report.failed, 'the same as without it', {
      seed,
      path,
      found: errorInstance instanceof Error ? errorInstance.message : undefined
    })
    t.equal(report.numRuns, RUNS, 'all of them ran')
    t.ok(executed > report.numRuns, 'most queries are executed by both engines')
  })

  t.test('what can be observed beside the answers', async t => {
    await sameAsWithout(t, peers, scenarios)
  })

  t.test('reads of `then`, of which it adds one at most, as nothing else tells whether to wait', async t => {
    for (const engine of ['graphql-js', 'graphql-jit']) {
      const question: ScenarioQuestion = { scenario: 'readsOfThen', engine }
      const reads = await bare.ask<number>(question)
      t.equal(reads, 1, engine)
      for (const [name, peer] of measured) t.ok((await peer.ask<number>(question)) <= reads + 1, `${engine}, ${name}`)
    }
  })
})

/** Where two outcomes part ways, with what came right before; undefined where they do not. */
function differenceOf(without: Outcome, within: Outcome | undefined): string | undefined {
  if (within === undefined) return 'the instrumented process did not execute it'
  const [expected, found] = [without, within].map(({ answers }) => answers.join('\n---\n').split('\n'))
  const at = [...(expected ?? []), ''].findIndex((line, index) => line !== (found?.[index] ?? ''))
  if (at !== -1) {
    const lines = (all: readonly string[] = []): string[] => all.slice(Math.max(0, at - 5), at + 3)
    return ['--- without', ...lines(expected), '--- with', ...lines(found)].join('\n')
  }
  const [called, counted] = [within.called, within.counted].map(counts => JSON.stringify(counts))
  return called === counted ? undefined : `called ${called ?? ''}\ncounted ${counted ?? ''}`
}
