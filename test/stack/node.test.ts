import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { root } from '../node.js'
import packageJson from '../../package.json' with { type: 'json' }

test('README asks for the versions of Node that the package runs on', t => {
  const [, major, minor, next] = /^\^(\d+)\.(\d+)\.0 \|\| >=(\d+\.\d+)\.0$/.exec(packageJson.engines.node) ?? []
  const readme = readFileSync(join(root, 'README.md'), 'utf8').replaceAll('\n', ' ')
  t.ok(readme.includes(`Node ${major}.${minor} or a later ${major}, or ${next} or newer,`))
  t.end()
})
