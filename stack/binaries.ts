import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, constants, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { buildProgram, findGo } from './build.js'
import { StackError, type Report } from './errors.js'
import { CACHE } from './paths.js'
import type { Probe, Program } from './programs.js'

const execute = promisify(execFile)

export interface FindOptions {
  /** Folders of programs, as in the variable PATH. */
  readonly path?: string
  /** The folder of what was built. */
  readonly cache?: string
  readonly report?: Report
  /** Ends a build. */
  readonly signal?: AbortSignal
}

/**
 * The file of each program: from PATH where it can do what is needed, else from the cache, else built into it.
 *
 * @throws StackError where Go is needed and missing, or a build fails
 */
export async function findBinaries(programs: readonly Program[], options: FindOptions = {}): Promise<string[]> {
  const { path = process.env.PATH ?? '', cache = CACHE, report = () => undefined, signal } = options
  const sought = await Promise.all(
    programs.map(async program => {
      const build = await describeBuild(program, cache)
      const onPath = await findOnPath(program, path)
      return { program, ...build, found: onPath ?? ((await isExecutable(build.file)) ? build.file : undefined) }
    })
  )
  const missing = sought.filter(({ found }) => found === undefined)
  if (missing.length > 0) {
    const go = await findGo(path)
    if (go === undefined) throw new StackError(describeMissing(missing.map(({ program }) => program)))
    // One after the other: Go keeps all cores busy with one.
    for (const order of missing) await buildProgram({ ...order, go, report, ...(signal && { signal }) })
  }
  return sought.map(({ found, file }) => found ?? file)
}

/** The version and the content of the manifests are in the name, so that a change of either makes another file. */
async function describeBuild(program: Program, cache: string): Promise<{ version: string; file: string }> {
  const texts = await Promise.all(program.manifests.map(file => readFile(file, 'utf8')))
  const version = program.version.exec(texts[0] ?? '')?.[1]
  if (version === undefined) throw new Error(`${program.manifests[0] ?? ''} names no version of ${program.name}`)
  const digest = createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 8)
  return { version, file: join(cache, `${program.name.toLowerCase()}-${version}-${digest}`) }
}

async function findOnPath({ commands, probes }: Program, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    for (const command of commands) {
      const file = join(folder, command)
      if (folder !== '' && (await isExecutable(file)) && (await passesAll(file, probes))) return file
    }
  }
  return undefined
}

async function passesAll(file: string, probes: readonly Probe[]): Promise<boolean> {
  for (const probe of probes) if (!(await passes(file, probe))) return false
  return true
}

async function passes(file: string, probe: Probe): Promise<boolean> {
  try {
    const { stdout, stderr } = await execute(file, probe.arguments, { timeout: 20_000 })
    return probe.output.test(stdout + stderr)
  } catch {
    return false
  }
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false
  )
}

function describeMissing(missing: readonly Program[]): string {
  const names = missing.map(({ name }) => name).join(', ')
  return (
    `Go is not on PATH, and without it ${names} cannot be built: install Go 1.26 or newer, ` +
    `or put on PATH: ${missing.map(({ wanted }) => wanted).join(', ')}`
  )
}
