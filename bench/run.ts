import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { Child, pathOf } from './child.js'
import type { Arm } from './arms.js'
import { readOptions, type Selection } from './options.js'
import { promisesOf } from './promises.js'
import { profiledArms, profileSection } from './profile.js'
import { sectionOf, titleOf } from './report.js'
import { installRivals, rivalVersions, versionOf } from './rivals.js'
import type { Subject } from './running.js'
import { runScenarios } from './scenarios.js'
import { runTable, type Table } from './table.js'

/** Where V8's own settings make most of a difference. */
const LEFT_ALONE = { engines: ['jit'], shapes: ['L'], isLeftAlone: true } as const
const ARMS_LEFT_ALONE = ['bare', 'bare-again', 'floor', 'ours', 'ours-off']

const selection = selected()
const { isWhole, nodes, shapes, arms, withScenarios, withProfiles } = selection
const measured = shapes.length > 0 ? [...nodes, ...arms] : withProfiles ? nodes : []
if (measured.some(({ isRival }) => isRival === true)) installRivals()

const scenarios = withScenarios ? await runScenarios() : []
const tables = await runTables(selection)
const leftAlone = isWhole
  ? await runTables({ ...selection, ...LEFT_ALONE, arms: arms.filter(({ name }) => ARMS_LEFT_ALONE.includes(name)) })
  : []
const profiles = withProfiles ? await runProfiles(selection) : []
const promises = promisesOf(tables)
console.log([...scenarios, ...profiles, ...(tables.length > 0 && !selection.isLeftAlone ? [promises] : [])].join('\n'))

if (isWhole) {
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB`
  writeFileSync(
    'docs/benchmarks.md',
    `# Benchmarks

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}; do not edit. Node ${nodes.map(versionOf).join(' and ')}, ${machine}.
Compared with ${rivalVersions()}.

${promises}
${readFileSync(pathOf('../../notes.md'), 'utf8')}
## Where the time goes

${profiles.join('\n')}
## Whole operations

${[...tables, ...leftAlone].map(sectionOf).join('\n')}
${scenarios.join('\n')}`
  )
} else {
  console.log('Only a part was run: docs/benchmarks.md stays as it is.')
}

/** What the command line selects; a mistake in it is said without where in the code it was found. */
function selected(): Selection {
  try {
    return readOptions()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return process.exit(1)
  }
}

async function runTables({ nodes, engines, shapes, arms, isLeftAlone }: Selection): Promise<Table[]> {
  const load = await Child.start('the load generator', pathOf('./load.js'))
  const done: Table[] = []
  for (const node of nodes) {
    for (const engine of engines) {
      const chosen = arms.filter(arm => engine === 'js' || arm.isServer !== true)
      for (const shape of shapes) {
        done.push(await run({ node, engine, shape, isLeftAlone }, chosen, load))
      }
    }
  }
  await load.stop()
  return done
}

/** Of the shape with the most calls. */
async function runProfiles({ nodes, engines, arms, isLeftAlone }: Selection): Promise<string[]> {
  const sections: string[] = []
  for (const node of nodes) {
    for (const engine of engines) {
      sections.push(await profileSection({ node, engine, shape: 'L', isLeftAlone }, profiledArms(arms)))
    }
  }
  return sections
}

async function run(subject: Subject, chosen: readonly Arm[], load: Child): Promise<Table> {
  console.log(`${new Date().toTimeString().slice(0, 8)} ${titleOf(subject)}`)
  const table = await runTable(subject, chosen, load)
  console.log(sectionOf(table))
  return table
}
