import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { Turns } from '../src/lib/turns.js'

test('so much is done at once, in order, whatever fails', async t => {
  const turns = new Turns(2)
  const begun: number[] = []
  let running = 0
  let most = 0
  const work = async (number: number): Promise<number> => {
    begun.push(number)
    running += 1
    most = Math.max(most, running)
    await delay(5)
    running -= 1
    if (number % 3 === 0) throw new Error('fails')
    return number
  }
  const outcomes = await Promise.allSettled([1, 2, 3, 4, 5, 6, 7].map(number => turns.take(() => work(number))))
  t.strictSame(begun, [1, 2, 3, 4, 5, 6, 7])
  t.equal(most, 2)
  t.equal(outcomes.filter(({ status }) => status === 'rejected').length, 2)
  t.equal(await turns.take(() => work(8)), 8)
})
