import { test } from 'tap'
import { contextScenarios } from './pass-through/context-scenarios.js'
import { sameAsWithout, startPeers } from './pass-through/peers.js'
import { thenScenarios } from './pass-through/then-scenarios.js'

test('the instrumentation passes through', async t => {
  const peers = await startPeers(t)

  t.test('what has a `then`, asked as the engine asks it', async t => {
    await sameAsWithout(t, peers, thenScenarios)
  })

  t.test('contexts of any kind, as they are', async t => {
    // Where spans are exported, OpenTelemetry's own GraphQL instrumentation replaces and marks contexts.
    const measured = new Map([...peers.measured].filter(([name]) => name === 'nothing exported'))
    await sameAsWithout(t, { ...peers, measured }, contextScenarios)
  })
})
