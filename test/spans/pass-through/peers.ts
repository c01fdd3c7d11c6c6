import type { Test } from 'tap'
import { PRELOAD, startPeer, type Peer } from '../../peer.js'
import type { ScenarioQuestion } from './peer.js'
import type { Scenario } from './scenarios.js'

export interface Peers {
  /** Without the package. */
  readonly bare: Peer
  /** With it, by what is exported. */
  readonly measured: ReadonlyMap<string, Peer>
}

/** The same program in processes of its own. */
export async function startPeers(t: Test): Promise<Peers> {
  const file = new URL('./peer.ts', import.meta.url)
  const [bare, measured, exporting] = await Promise.all([
    startPeer(t, file),
    startPeer(t, file, { preload: [PRELOAD] }),
    startPeer(t, file, { preload: [PRELOAD], environment: { OTEL_TRACES_EXPORTER: 'console' } })
  ])
  return {
    bare,
    measured: new Map([
      ['nothing exported', measured],
      ['everything exported', exporting]
    ])
  }
}

/** Tests that every scenario sees the same under the instrumentation as without it, in both engines. */
export async function sameAsWithout(
  t: Test,
  { bare, measured }: Peers,
  scenarios: Record<string, Scenario>
): Promise<void> {
  for (const scenario of Object.keys(scenarios)) {
    for (const engine of ['graphql-js', 'graphql-jit']) {
      const question: ScenarioQuestion = { scenario, engine }
      const expected = await bare.ask(question)
      for (const [name, peer] of measured) {
        t.strictSame(await peer.ask(question), expected, `${scenario} (${engine}, ${name})`)
      }
    }
  }
}
