import { measure, type Result, type Scenario } from './harness.js'
import { snapshotScenario } from './scenarios/snapshot.js'
import { spansScenario } from './scenarios/spans.js'

/** Measures single parts in this process and returns a section for each. */
export async function runScenarios(): Promise<string[]> {
  return [await spansScenario(), snapshotScenario()].map(scenario => sectionOf(scenario, measure(scenario)))
}

function sectionOf(scenario: Scenario, results: readonly Result[]): string {
  const { title, unit, scale, promise, limit, measured, note } = scenario
  const base = results[0]?.median ?? NaN
  const rows = results.map(
    ({ name, median, least, most, cpu }) =>
      `| ${name} | ${figure(median)} | ${figure(least)} - ${figure(most)} | ${figure(cpu)} | ${(median / base).toFixed(2)} |`
  )
  const last = (results.at(-1)?.median ?? NaN) - (measured === 'last' ? 0 : base)
  return `## ${title}

${note}

| arm | median, ${scale} a ${unit} | least - most | CPU, ${scale} | ratio |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

${promise}: ${last <= limit ? 'kept' : '**not kept**'} (${figure(last)} ${scale}).
`
}

function figure(value: number): string {
  return value.toFixed(value < 10 ? 3 : 1)
}
