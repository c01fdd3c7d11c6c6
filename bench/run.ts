import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { Child, pathOf } from './child.js'
import { readOptions } from './options.js'
import { sectionOf, titleOf } from './report.js'
import { installRivals, rivalVersions, versionOf } from './rivals.js'
import { runScenarios } from './scenarios.js'
import { runTable, type Table } from './table.js'
import { targetsOf } from './targets.js'

const { isWhole, nodes, engines, shapes, arms, withScenarios } = readOptions()
if (shapes.length > 0 && [...nodes, ...arms].some(({ isRival }) => isRival === true)) installRivals()

const scenarios = withScenarios ? await runScenarios() : []
const tables = await runTables()
const targets = targetsOf(tables)
console.log([...scenarios, ...(tables.length > 0 ? [targets] : [])].join('\n'))

if (isWhole) {
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB`
  writeFileSync(
    'docs/benchmarks.md',
    `# Benchmarks

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}; do not edit. Node ${nodes.map(versionOf).join(' and ')}, ${machine}.
Compared with ${rivalVersions()}.

${targets}
${readFileSync(pathOf('../../notes.md'), 'utf8')}
## Whole operations

${tables.map(sectionOf).join('\n')}
${scenarios.join('\n')}`
  )
} else {
  console.log('Only a part was run: docs/benchmarks.md stays as it is.')
}

async function runTables(): Promise<Table[]> {
  const load = await Child.start('the load generator', pathOf('./load.js'))
  const done: Table[] = []
  for (const node of nodes) {
    for (const engine of engines) {
      const chosen = arms.filter(arm => engine === 'js' || arm.isServer !== true)
      for (const shape of shapes) {
        const subject = { node, engine, shape }
        console.log(`${new Date().toTimeString().slice(0, 8)} ${titleOf(subject)}`)
        const table = await runTable(subject, chosen, load)
        console.log(sectionOf(table))
        done.push(table)
      }
    }
  }
  await load.stop()
  return done
}
