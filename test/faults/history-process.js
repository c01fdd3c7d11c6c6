// Keeps history of numbered measurements until it is killed: node history-process.js <settings and time as JSON>. It says
// `recorded 7` before it measures number 7, and `confirmed 7` once everything up to that is written. What it says has left
// the process when the call returns.
import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { History } from '../../dist/history/postgres/history.js'
import { Store } from '../../dist/store/store.js'

const { settings, time, interval } = JSON.parse(process.argv[2])
const { origin, speed } = time
const clock = {
  monotonic: () => speed * performance.now() * 1e6,
  wall: () => origin + speed * (Date.now() - origin)
}
const store = new Store({ clock, retentionPeriod: 3600 })
const writer = store.callWriter('Query.numbered')
const earlier = new Store({ clock, retentionPeriod: 3600 })
const log = (level, fields, message) => say(`${level} ${message}`)
const history = new History({ settings, clock, store, earlier, log, interval })

let number = 0

function say(line) {
  for (;;) {
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

function measure() {
  for (let left = 1 + Math.floor(Math.random() * 20); left > 0; left -= 1) {
    number += 1
    say(`recorded ${number}`)
    const measurement = { duration: number, failed: false, argsCount: null, traceId: null }
    writer.write(clock.monotonic(), number, false, 0, null, 0, 0, 0)
    store.recordOperation('numbered', { type: 'query' }, measurement, 1)
    store.recordCache('hit', 'numbered', measurement)
  }
}

setInterval(measure, 2)
history.start()
for (;;) {
  const last = number
  await history.flush()
  const { state } = history.report
  if (state === 'WRITING') say(`confirmed ${last}`)
  await delay(Math.random() * interval)
}
