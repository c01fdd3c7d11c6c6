import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { root } from '../node.js'
import packageJson from '../../package.json' with { type: 'json' }

const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
/** What the image does not hold: the load generator and the embedded Postgres. */
const left = /^(load.*|embedded-worker)\.ts$/

test('the image holds the packages that the Tracker imports, and no others', t => {
  const folders = ['src/tracker', 'src/database'].map(folder => join(root, folder))
  const imported = folders.flatMap(folder =>
    readdirSync(folder)
      .filter(file => !left.test(file))
      .flatMap(file => bareImports(readFileSync(join(folder, file), 'utf8')))
  )
  const own = ['mercurius-performance', ...Object.keys(packageJson.dependencies)]
  const needed = [...new Set(imported)].filter(name => !own.includes(name))
  const [, given = ''] = /TRACKER_NEEDS="([^"]+)"/.exec(dockerfile) ?? []
  t.strictSame(given.split(/[\s\\]+/), needed.sort())
  for (const name of needed) t.ok(name in packageJson.devDependencies, `${name} is among the devDependencies`)
  t.end()
})

test('what the Dockerfile copies exists, and .dockerignore lets it in and nothing else', t => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '))
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8')
  const admitted = [...ignored.matchAll(/^!(.+)$/gm)].map(([, name]) => name)
  t.match(ignored, /^\*$/m)
  t.strictSame(copied.map(name => name.replace('./', '')).sort(), admitted.sort())
  for (const name of copied) t.ok(existsSync(join(root, name)), name)
  t.end()
})

test('the Tracker starts in the image as npm start starts it, and not as root', t => {
  const [, command = '[]'] = /^CMD (\[.+\])$/m.exec(dockerfile) ?? []
  t.equal((JSON.parse(command) as string[]).join(' '), packageJson.scripts.start)
  t.match(dockerfile, /^USER node$/m)
  t.end()
})

/** The packages that a source imports for more than types. */
function bareImports(source: string): string[] {
  const found = source.matchAll(/^(?:import|export) (?!type )[^']*?from '((?:@[\w.-]+\/)?[\w.-]+)'/gm)
  return [...found].map(([, name = '']) => name).filter(name => !name.startsWith('.') && !name.startsWith('node:'))
}
