import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { engineSection } from './engines.js'
import { measure, type Result, type Scenario } from './harness.js'
import { snapshotScenario } from './scenarios/snapshot.js'
import { spansScenario } from './scenarios/spans.js'

const scenarios = [await spansScenario(), snapshotScenario()]

const sections = scenarios.map(scenario => {
  const section = sectionOf(scenario, measure(scenario))
  console.log(section)
  return section
})

sections.push(await engineSection('graphql-js'), await engineSection('graphql-jit'))
console.log(sections.slice(-2).join('\n'))

const machine = `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB`
writeFileSync(
  'docs/benchmarks.md',
  `# Benchmarks

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}; do not edit. ${machine}.

The arms of a table ran in turn, round by round; quoted are medians, and the extremes where a table has them. The machine is shared and noisy: trust ratios before absolute times.

${sections.join('\n')}`
)

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
