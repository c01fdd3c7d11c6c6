/** .ci/run in an empty repository, with an npm and an apt-get that never end. */
import { spawn } from 'node:child_process'
import { chmod, cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { root } from '../node.js'

test('CI ends with its closing line although what it runs does not end', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'ci-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await cp(join(root, '.ci'), join(folder, '.ci'), { recursive: true })
  for (const name of ['npm', 'apt-get', 'go']) {
    await writeFile(
      join(folder, name),
      `#!/bin/sh\ncase $1 in version | env) exit 0 ;; esac\ntrap '' TERM\nsleep 600 & wait\n`
    )
    await chmod(join(folder, name), 0o755)
  }
  const began = Date.now()
  const child = spawn(join(folder, '.ci/run'), {
    env: { PATH: `${folder}:${process.env.PATH ?? ''}`, CI_LIMIT: '1' },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  t.equal(code, 1)
  t.match(output, /\n\d+ passed, \d+ failed\n$/)
  t.match(output, /^npm had not ended after 1 s/m)
  t.ok(Date.now() - began < 60_000)
  for (const [, name = '', end] of output.matchAll(/^== (.+): (ok|FAILED), \d+ s$/gm)) {
    if (name !== 'tools' && name !== 'PostgreSQL server') t.equal(end, 'FAILED', name)
  }
})
